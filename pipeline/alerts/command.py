"""`tinybeam alerts`: rules of alerts are tested like code. Exit codes: 0 all as expected, 1 something else comes, 2 called wrongly."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from pipeline.alerts.cases import CaseFile
from pipeline.alerts.rehearsal import differences
from program import settings, terminal
from program.settings import ConfigError
from schemas.registry import Registry


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Test the rules of alerts before they wake anybody."""


@cli.command("test")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE...")
@click.option("--registry", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Rules of this file instead of FILE's own.")
@click.option("--only", metavar="TEXT", default="", help="Run the cases whose name holds this text.")
def test(files: tuple[Path, ...], registry: Path | None, only: str) -> None:
    """Run the cases of FILE: what the pipeline sees over time, and which rows of alerts come of it.

    The rules run as they do in a pipeline, with cooldowns, outages and timers, but on a clock of their own: a week takes milliseconds.

    \b
      registry = "registry.toml"
      [[cases]]
      name = "a frost that lasts is told once"
      given = [
        { at = "2h", event = "frost", device = "soil-01", state = "low", value = -1.5 },
        { at = "5h", event = "frost", device = "soil-01", state = "normal" },
      ]
      expected = [
        { rule = "frost", subject = "soil-01", state = "opened", at = "2h", notified = true },
        { rule = "frost", subject = "soil-01", state = "resolved", at = "5h" },
      ]

    `given` may also be a mean (channel, site or device, value), a column of the water balance (column, site, value), or a gateway's word
    that everything up to a time is delivered (delivered_by). `arrives` says when it reaches the pipeline, if that is later.
    Rules of silence are not run.
    """
    try:
        failed, count = _run(files, registry, only)
    except ConfigError as error:
        raise click.UsageError(str(error)) from error
    click.echo(f"{count} cases, {failed} failed")
    sys.exit(1 if failed or not count else 0)


def _run(files: tuple[Path, ...], registry: Path | None, only: str) -> tuple[int, int]:
    failed = count = 0
    for file in files:
        cases = settings.load(CaseFile, file)
        rules = Registry.load(registry or cases.registry or file.with_name("registry.toml"))
        for case in cases.cases:
            if only in case.name:
                with settings.of_file(f"{file}: {case.name!r}"):
                    lines = differences(case, rules)
                for sentence in (f"{'FAILED' if lines else 'ok'}  {case.name}", *(f"    {line}" for line in lines)):
                    terminal.say(sentence)
                failed, count = failed + bool(lines), count + 1
    return failed, count
