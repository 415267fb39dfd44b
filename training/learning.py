"""Lets `tinybeam train MODEL --from=warehouse` learn from the field, and says how the successor compares with the release that runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
from google.api_core.exceptions import GoogleAPICallError
from google.cloud import bigquery

from edge.models.bundle import Bundle, BundleError
from sql.service import ServiceError, explained
from training import warehouse
from training.build.gate_section import pass_gate
from training.build.succession import Succession, as_json


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Says of which project and time a successor learns, which bundle it follows, and where the figures go."""

    until: datetime | None
    days: int
    project: str | None
    current: Path
    figures: Path | None


@dataclass(frozen=True, slots=True)
class Field:
    """Is what a successor learns from: a warehouse's rows of a time, and the bundle that runs."""

    warehouse: bigquery.Client
    from_time: datetime
    until: datetime
    current: Bundle


def learn(output: Path, request: Request, teach: Callable[[Field], Succession]) -> None:
    """Lets `teach` write the bundle, writes the figures and shows the table. Raises ClickException if the bundle may not follow the current
    one, or if the gate refuses it, and UsageError before anything is asked or written.
    """
    if not request.project:
        raise click.UsageError("--from=warehouse needs a project: --project or GOOGLE_CLOUD_PROJECT")
    if output.resolve() == request.current.resolve():
        raise click.UsageError(
            f"--output and --current are both {output}: the bundle to be followed is compared with, and is not written over"
        )
    now = datetime.now(UTC)
    end = request.until.replace(tzinfo=UTC) if request.until else now
    if end > now:
        raise click.UsageError(f"--until {end:%Y-%m-%d %H:%M} UTC is still to come: what is learned until then could not be made again")
    try:
        current = Bundle.load(request.current)
    except BundleError as error:
        raise click.UsageError(f"--current names the bundle to be followed: {error}") from error
    try:
        succession = teach(Field(warehouse.client(request.project), end - timedelta(days=request.days), end, current))
    except GoogleAPICallError as error:
        raise click.ClickException(explained(error)) from error
    except (ServiceError, BundleError, ValueError) as error:
        raise click.ClickException(str(error)) from error
    click.echo("\n".join(succession.table()))
    if request.figures:
        request.figures.write_bytes(as_json(succession))
    if succession.refusals:
        raise click.ClickException("the successor is refused: " + "; ".join(succession.refusals))
    pass_gate(output, None)
    click.echo(f"Wrote {output}.")
