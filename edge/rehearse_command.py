"""Runs `tinybeam edge test`: a farm's cases for its own configuration. Exits with 0, 1 (something else comes) or 2 (called wrongly)."""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from edge.cases import CaseFile
from edge.command import MISCONFIGURED, misconfigured
from edge.config import load
from edge.models.scorer import ScorerFailed
from edge.rehearsal import differences
from edge.store.store import StoreError
from program import settings, terminal


@click.command("test")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE...")
@click.option("--config", "config", type=click.Path(path_type=Path), help="The gateway's TOML file, instead of FILE's own.")
@click.option("--only", metavar="TEXT", default="", help="Run the cases whose name holds this text.")
def rehearse(files: tuple[Path, ...], config: Path | None, only: str) -> None:
    """Run the cases of FILE: which messages come, and which summaries, inferences, events and rejects come of them.

    Nothing is needed but the configuration: no broker, no uplink, and the clock is that of the messages. Exit code 1 if anything differs.

    \b
      config = "gateway.toml"
      [[cases]]
      name = "a stuffy room is noticed at once, and a value that cannot be is rejected alone"
      messages = [
        '{"device": "air-1", "time": "2026-05-01T12:00:00Z", "values": {"co2": 1600}}',
        '{"device": "air-1", "time": "2026-05-01T12:00:30Z", "values": {"co2": -5}}',
      ]
      expected = [
        { kind = "events", device_id = "air-1", rule = "stuffy", state = "high" },
        { kind = "summaries", device_id = "air-1", channel = "co2", count = 1, mean = 1600 },
        { kind = "rejects", device_id = "air-1", reason = "out_of_range" },
      ]

    A row is met where all columns that are named are as they say; `mean` of a summary counts as one. Of events and rejects no others may
    come; `complete = ["summaries", "events", "rejects"]` in a case says so of other kinds.

    \b
    Example:
      tinybeam edge test gateway.test.toml --config gateway.toml
    """
    try:
        failed, count = _rehearse(files, config, only)
    except MISCONFIGURED as error:
        misconfigured(str(error))
    except (StoreError, ScorerFailed, OSError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{count} cases, {failed} failed")
    sys.exit(1 if failed or not count else 0)


def _rehearse(files: tuple[Path, ...], config: Path | None, only: str) -> tuple[int, int]:
    """Runs the cases; returns how many failed, of how many."""
    failed = count = 0
    for file in files:
        cases = settings.load(CaseFile, file)
        gateway = load(config or cases.config or file.with_name("gateway.toml"))
        for case in cases.cases:
            if only in case.name:
                with settings.of_file(f"{file}: {case.name!r}"), TemporaryDirectory() as folder:
                    lines = differences(case, gateway, Path(folder))
                for sentence in (f"{'FAILED' if lines else 'ok'}  {case.name}", *(f"    {line}" for line in lines)):
                    terminal.say(sentence)
                failed, count = failed + bool(lines), count + 1
    return failed, count
