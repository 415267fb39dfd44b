"""The command of a timer: lets a release go on to more gateways, wait, or be halted, by how it does beside what ran before."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import BinaryIO

import click
import msgspec

from releases import health, options, rollouts, warehouse
from releases.error import ReleaseError
from releases.health import Health
from releases.judgement import judge
from releases.repository import Repository
from releases.rollout import Decision, Release, Rollout
from releases.thresholds import checked
from schemas.records import ReleaseDecision


@click.command()
@options.folder
@options.model
@click.option("--health", "source", type=click.File("rb"), help="Rows of the view release_health as JSON; - for standard input.")
@click.option(
    "--warehouse", "ask", is_flag=True, help="Ask the warehouse for them, and tell it what was decided: that of `tinybeam sql` here."
)
@click.option("--dry_run", is_flag=True, help="Say what would be decided, and decide nothing.")
@options.as_json
@options.errors_explained
def advance(folder: Path, model: str, source: BinaryIO | None, ask: bool, dry_run: bool, as_json: bool) -> None:
    """Let more gateways run the present release of MODEL, or wait, or halt it: by its health beside what ran before.

    Exit status 1 if it is halted. What was decided and why is kept in the rollout, but for that it waits; with --warehouse all of it is
    in the view release_decisions, too, with the figures.

    \b
    Examples:
      tinybeam release advance soil --warehouse
      tinybeam sql query releases_side_by_side --json | tinybeam release advance soil --health -
    """
    repository = Repository(folder)
    rollout = rollouts.existing(repository, model)
    if rollout.halted:
        raise ReleaseError(f"release {rollout.release} of {model} is halted: `tinybeam release roll-out` begins another")
    found = health.of(_rows(source, ask), Release(model, rollout.release))
    decision = judge(rollout, found, checked(rollout.thresholds, folder), options.now())
    if decision.action != "wait" and not dry_run:
        rollouts.decide(repository, model, decision)
    row = msgspec.json.encode(_row(rollout, found, decision)).decode()
    click.echo(row if as_json else f"{decision.action}: {'; '.join(decision.reasons)}")
    if ask and not dry_run:
        warehouse.keep(row)
    if decision.action == "halt":
        sys.exit(1)


def _rows(source: BinaryIO | None, ask: bool) -> list[Health]:
    """Raises ReleaseError and UsageError."""
    if (source is None) != ask:
        raise click.UsageError("say where the health of releases is: --health FILE, or --warehouse")
    if source is None:
        return health.read(warehouse.health(), warehouse.QUESTION)
    return health.read(source.read(), getattr(source, "name", "standard input"))


def _row(rollout: Rollout, found: Health | None, decision: Decision) -> ReleaseDecision:
    return ReleaseDecision(
        decided_time=decision.time,
        model=rollout.model,
        release=rollout.release,
        control=found.control if found else None,
        action=decision.action,
        share=decision.share,
        reasons=decision.reasons,
        figures=msgspec.json.encode(found).decode() if found else None,
    )
