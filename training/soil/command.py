"""Lets `tinybeam train soil --from=warehouse` learn from the fields, and says how the successor compares."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import msgspec
from google.api_core.exceptions import GoogleAPICallError

from edge.models.bundle import Bundle, BundleError
from sql.service import ServiceError, explained
from training import warehouse
from training.soil.metrics import line
from training.soil.rivals import Succession
from training.soil.succession import succeed, teach
from training.soil.train import Progress


def learn(
    output: Path,
    seed: int,
    workers: int,
    progress: Progress,
    *,
    until: datetime | None,
    days: int,
    project: str | None,
    seasons: int,
    current: Path,
    version: str,
    figures: Path | None,
) -> None:
    """Writes the bundle and the figures, and shows the table. Raises ClickException if the bundle may not follow the current one."""
    if not project:
        raise click.UsageError("--from=warehouse needs a project: --project or GOOGLE_CLOUD_PROJECT")
    end = until.replace(tzinfo=UTC) if until else datetime.now(UTC)
    try:
        rows, snapshot = warehouse.soil(warehouse.client(project), end - timedelta(days=days), end)
        click.echo(f"{len(rows.windows)} windows of {len(rows.sites)} sites and {rows.seasons} seasons, SHA-256 {rows.sha256}")
        lessons = teach(seasons, seed, workers, progress)
        _, succession = succeed(rows, lessons, Bundle.load(current), output, version=version, snapshot=snapshot, seed=seed)
    except GoogleAPICallError as error:
        raise click.ClickException(explained(error)) from error
    except (ServiceError, BundleError, ValueError) as error:
        raise click.ClickException(str(error)) from error
    click.echo("\n".join(table(succession)))
    if figures:
        figures.write_bytes(as_json(succession))
    if succession.refusals:
        raise click.ClickException("the successor is refused: " + "; ".join(succession.refusals))


def as_json(succession: Succession) -> bytes:
    """Returns all that the table says, and the reasons of a refusal."""
    fields = {"metrics": succession.metrics, "examples": succession.examples, "sites": succession.sites, "refusals": succession.refusals}
    return msgspec.json.format(msgspec.json.encode(fields), indent=1) + b"\n"


def table(succession: Succession) -> list[str]:
    """Returns a line for the successor, for the release that runs and for each rule."""
    return [
        f"{succession.examples} examples at {len(succession.sites)} sites held out:",
        *(line(name, metrics) for name, metrics in succession.metrics.items()),
    ]
