"""The commands of a person who decides which gateways run a release: roll out, halt, roll back, and how it stands."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import click

from program.names import NAME
from program.settings import read
from releases import fleet, options, rollouts, standing
from releases.error import ReleaseError
from releases.repository import Repository
from releases.rollout import Decision, Group, Rollout
from releases.thresholds import checked

_PUBLISH = "It holds from the next `tinybeam release publish` on."


def _name(_context: click.Context, option: click.Parameter, names: Sequence[str]) -> Sequence[str]:
    """Raises BadParameter for what no gateway or site can be called."""
    if wrong := [name for name in names if not re.fullmatch(NAME, name)]:
        raise click.BadParameter(f"{wrong[0]!r} is no name of a gateway or site", param=option)
    return names


def _many(name: str, help_text: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    return click.option(f"--{name}", name.replace("-", "_") + "s", multiple=True, callback=_name, help=f"{help_text}; may be repeated.")


@click.command("roll-out")
@options.folder
@options.model
@click.argument("release", type=click.IntRange(min=1))
@click.option("--share", type=click.FloatRange(0, 100), help="Per cent of the gateways that run it.  [default: the first step]")
@_many("gateway", "A gateway that runs it whatever the share is")
@_many("site", "A site whose gateways run it whatever the share is")
@_many("exclude-gateway", "A gateway that does not run it")
@_many("exclude-site", "A site whose gateways do not run it")
@click.option("--shadow", type=click.IntRange(min=1), help="A release that scores beside the one that runs, and alarms nobody.")
@click.option("--fleet", "known", type=options.FILE, help="The gateways there are: the registry, or rows of the view gateways as JSON.")
@click.option("--thresholds", type=options.FILE, help="TOML with the steps and limits by which `advance` decides.")
@options.errors_explained
def roll_out(
    folder: Path,
    model: str,
    release: int,
    share: float | None,
    gateways: Sequence[str],
    sites: Sequence[str],
    exclude_gateways: Sequence[str],
    exclude_sites: Sequence[str],
    shadow: int | None,
    known: Path | None,
    thresholds: Path | None,
) -> None:
    """Let some gateways run RELEASE of MODEL; the others run what they ran.

    With --fleet no more of them run it than the share says, at each step; without it as many as that on average.

    \b
    Examples:
      tinybeam release roll-out soil 2 --fleet registry.toml
      tinybeam release roll-out soil 2 --share 10 --gateway gateway-7 --exclude-site mill
    """
    limits = read(thresholds) if thresholds else {}
    steps, now = checked(limits, thresholds or folder).steps, options.now()
    gateways_known = fleet.read(known, now) if known else {}
    if known and not gateways_known:
        raise ReleaseError(f"{known} names no gateways: leave out --fleet where nobody knows which there are")
    with options.alone_in(folder) as repository:
        rollout = rollouts.new_rollout(
            repository,
            model,
            release,
            steps[0] if share is None else share,
            pinned=Group(tuple(gateways), tuple(sites)),
            excluded=Group(tuple(exclude_gateways), tuple(exclude_sites)),
            shadow=shadow,
            thresholds=limits,
        )
        if gateways_known:
            rollout = fleet.with_reaches(rollout, gateways_known, steps)
            click.echo(f"{len(fleet.running(rollout, gateways_known)):,} of {len(gateways_known):,} gateways that are known run it")
            if strangers := fleet.strangers(rollout, gateways_known):
                click.echo(f"{', '.join(strangers)}: named here, and not among the gateways and sites that are known", err=True)
        _say(rollouts.begin(repository, rollout, now))


@click.command()
@options.folder
@options.model
@options.reason
@options.errors_explained
def halt(folder: Path, model: str, reason: str) -> None:
    """Let no gateway run the present release of MODEL; each runs what it ran before.

    \b
    Example:
      tinybeam release halt soil --reason "calls wet fields dry"
    """
    decision = Decision(time=options.now(), action="halt", share=0, reasons=(reason,) if reason else ())
    with options.alone_in(folder) as repository:
        _say(rollouts.decide(repository, model, decision))


@click.command("roll-back")
@options.folder
@options.model
@options.reason
@options.errors_explained
def roll_back(folder: Path, model: str, reason: str) -> None:
    """Let every gateway run the release of MODEL before the present one.

    \b
    Example:
      tinybeam release roll-back soil --reason "calls wet fields dry"
    """
    with options.alone_in(folder) as repository:
        _say(rollouts.roll_back(repository, model, reason, options.now()))


@click.command()
@options.folder
@click.option("--gateway", default="", help="Say which releases this gateway runs.")
@_many("site", "A site that this gateway serves, for rollouts that name sites")
@options.as_json
@options.errors_explained
def status(folder: Path, gateway: str, sites: Sequence[str], as_json: bool) -> None:
    """Say what is released, what runs where, what waits for signatures, and when what was signed ends.

    \b
    Examples:
      tinybeam release status --json
      tinybeam release status --gateway gateway-7 --site mill
    """
    found = standing.of(Repository(folder))
    if gateway:
        runs = {rollout.model: rollout.release_of(gateway, sites) for rollout in found.rollouts}
        lines = [f"{model}: {f'release {number}' if number else 'its own bundle'}" for model, number in runs.items()]
        click.echo(json.dumps(runs) if as_json else "\n".join(lines))
        return
    click.echo(json.dumps(found.as_dict(), indent=1) if as_json else "\n".join(found.lines(options.now())))


def _say(rollout: Rollout) -> None:
    click.echo(standing.rollout_line(rollout))
    click.echo(_PUBLISH)


COMMANDS = (roll_out, halt, roll_back, status)
