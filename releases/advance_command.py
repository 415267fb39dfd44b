"""The command of a timer: lets a release go on to more gateways, wait, or be halted, by how it does beside what ran before."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import click
import msgspec

from releases import advancing, health, options, warehouse
from releases.health import Health
from releases.repository import Repository


@click.command()
@options.folder
@options.model
@click.option("--health", "source", type=click.File("rb"), help="Rows of the view release_health as JSON; - for standard input.")
@click.option(
    "--warehouse", "ask", is_flag=True, help="Ask the warehouse for them, and tell it what was decided: that of `tinybeam sql` here."
)
@click.option("--anyway", is_flag=True, help="A person lets it go on to the next step though it waits, if nothing halts it.")
@options.reason
@click.option("--dry_run", is_flag=True, help="Say what would be decided, and decide nothing.")
@options.as_json
@options.errors_explained
def advance(folder: Path, model: str, source: BinaryIO | None, ask: bool, anyway: bool, reason: str, dry_run: bool, as_json: bool) -> None:
    """Let more gateways run the present release of MODEL, or wait, or halt it: by its health beside what ran before.

    Exit status 1 if it is halted. What was decided and why is kept in the rollout, but for that it waits; with --warehouse all of it is
    in the view release_decisions, too, with the figures. A step that has waited for longer than `longest_days` waits for a person.

    \b
    Examples:
      tinybeam release advance soil --warehouse
      tinybeam release advance soil --warehouse --anyway --reason "looked at the fields"
      tinybeam sql query releases_side_by_side --json | tinybeam release advance soil --health -
    """
    repository = Repository(folder)
    rows = _rows(source, ask, advancing.asked_from(repository, advancing.running(repository, model), options.now()))
    with options.alone_in(folder):
        decision = advancing.advance(repository, model, rows, options.now(), anyway=reason if anyway else None, dry_run=dry_run)
    row = msgspec.json.encode(decision).decode()
    click.echo(row if as_json else f"{decision.action}: {'; '.join(decision.reasons)}")
    if ask and not dry_run:
        warehouse.keep(row)
    if decision.action == "halt":
        sys.exit(1)


def _rows(source: BinaryIO | None, ask: bool, from_time: datetime) -> list[Health]:
    """Raises ReleaseError and UsageError."""
    if (source is None) != ask:
        raise click.UsageError("say where the health of releases is: --health FILE, or --warehouse")
    if source is None:
        return health.read(warehouse.health(from_time), warehouse.QUESTION)
    return health.read(source.read(), getattr(source, "name", "standard input"))
