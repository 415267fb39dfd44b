"""`tinybeam lab`: the whole path on this machine."""

from __future__ import annotations

import random
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

import click

from lab.console import Console
from lab.services.stack import StartFailed

_PARTS = click.option(
    "--parts",
    type=click.Choice(["auto", "pip"]),
    default="auto",
    show_default=True,
    help="auto: mosquitto and Google's Pub/Sub emulator where they are installed. pip: what pip brings, even so.",
)

_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.group(no_args_is_help=True)
def cli() -> None:
    """The whole path on this machine: sensors, gateways, Pub/Sub, pipeline, warehouse.

    Everything listens on 127.0.0.1 only, needs no account and no root, and is gone when the command ends.
    """
    signal.signal(signal.SIGTERM, _leave)


@cli.command()
@_PARTS
@click.option("--directory", type=_FOLDER, default="build/demo", show_default=True, help="For logs and results; emptied first.")
@click.option("--seconds", type=click.FloatRange(min=40), default=60.0, show_default=True, help="How long the sensors of act two work.")
def demo(parts: str, directory: Path, seconds: float) -> None:
    """Run a season of history, then real time with a kill and an outage, then show the answers and what was lost.

    Act one drives ten fields and four machines through a season in accelerated time: gateway code, export files, the pipeline in batch
    mode. Act two runs sensors, three gateways and the streaming pipeline in real time; one gateway is killed with -9 and the uplink is
    cut. At the end come the answers for an analyst and the oracle's verdict, all of it in summary.json, and report.html for people.
    Exit status 1 if anything acknowledged was lost or is shown twice.
    """
    from lab.demo import run

    try:
        sound = run(directory.resolve(), parts, seconds, Console(sys.stdout))
    except StartFailed as error:
        raise click.ClickException(str(error)) from error
    raise SystemExit(0 if sound else 1)


@cli.command()
@_PARTS
@click.option("--directory", type=_FOLDER, default="build/up", show_default=True, help="For logs and state; emptied first.")
def up(parts: str, directory: Path) -> None:
    """Run the live path without faults, until Ctrl-C. Says where everything listens and what to try.

    A season of history is loaded first, so that there is something to ask about at once.
    """
    from lab.up import run

    try:
        run(directory.resolve(), parts, Console(sys.stdout))
    except StartFailed as error:
        raise click.ClickException(str(error)) from error
    except KeyboardInterrupt:
        click.echo("\nstopped; nothing is left running")


@cli.command()
@_PARTS
@click.option("--directory", type=_FOLDER, default="build/certify", show_default=True, help="For logs and data; emptied first.")
@click.option("--hours", type=click.IntRange(3, 72), default=30, show_default=True, help="How long the recorded day is.")
@click.option("--seed", type=int, default=None, help="What the day's faults are made from.  [default: another each time, printed]")
def certify(parts: str, directory: Path, hours: int, seed: int | None) -> None:
    """Take a bad day three ways into three warehouses, and certify that they hold the same.

    Two gateways record it by their own code: readings lost, repeated, late and broken, a device that both hear, one that nobody
    registered, a held channel, batches in another order, repeated and as corrupt copies. It goes through streaming, whose pipeline is
    killed in mid-hour; from export files; and from the archive that streaming kept. Exit status 1 if a table or view differs.
    """
    from lab.acts.recorded_day import RecordedDay
    from lab.certify import run

    try:
        day = RecordedDay.until(datetime.now(UTC), hours, random.randrange(10**6) if seed is None else seed)
        differing = run(directory.resolve(), parts, day, Console(sys.stdout))
    except StartFailed as error:
        raise click.ClickException(str(error)) from error
    raise SystemExit(1 if differing else 0)


@cli.command()
@click.option("--directory", type=_FOLDER, default="build/engines", show_default=True, help="For logs and results; emptied first.")
@click.option(
    "--kills", type=click.IntRange(0), default=50, show_default=True, help="How often pipeline or engine are killed. 0: leave that out."
)
@click.option("--pending", type=click.IntRange(0), default=100_000, show_default=True, help="Messages of the backlog. 0: leave that out.")
@click.option("--hours", type=click.IntRange(0, 72), default=3, show_default=True, help="How long the recorded day is. 0: leave that out.")
@click.option(
    "--shared", type=click.IntRange(0), default=6_000, show_default=True, help="Messages that three pipelines share. 0: leave that out."
)
@click.option("--seed", type=int, default=None, help="What kills and faults are made from.  [default: another each time, printed]")
def engines(directory: Path, kills: int, pending: int, hours: int, shared: int, seed: int | None) -> None:
    """Show what a pipeline keeps on each engine: killed again and again, with a backlog, and over one recorded day.

    A pipeline on Prism, or Prism itself, is killed with -9 at random while messages come with repeats; the views and the rollups are then
    compared with what was sent. A backlog shows how fast it reads and how much memory it takes. Three pipelines share the gateways by
    their shards. A recorded day goes through DirectRunner and Prism, in both modes, and through Prism with workers that have the wheel
    alone; the warehouses are certified against each other. Prism is built with Go where it is not found; without it one line says what
    is left out. All of it takes about forty minutes. Exit status 1 if anything is lost, repeated or different.
    """
    from lab.engines.run import Size, run

    try:
        chosen = random.randrange(10**6) if seed is None else seed
        sound = run(directory.resolve(), Size(kills, pending, hours, shared), chosen, Console(sys.stdout))
    except StartFailed as error:
        raise click.ClickException(str(error)) from error
    raise SystemExit(0 if sound else 1)


@cli.command()
@click.option("--directory", type=_FOLDER, default="build/demo", show_default=True, help="Where a demo has been.")
def keep(directory: Path) -> None:
    """Serve the warehouse that a demo left behind, until Ctrl-C. Says where it listens and how to ask it."""
    from lab.rerender import serve

    try:
        serve(directory.resolve(), Console(sys.stdout))
    except StartFailed as error:
        raise click.ClickException(str(error)) from error
    except KeyboardInterrupt:
        click.echo("\nstopped; nothing is left running")


@cli.command()
@click.option("--directory", type=_FOLDER, default="build/demo", show_default=True, help="Where a demo has been.")
def report(directory: Path) -> None:
    """Render the report of a demo again, from the warehouse that it left behind."""
    from lab.rerender import rewrite

    try:
        click.echo(rewrite(directory.resolve()))
    except StartFailed as error:
        raise click.ClickException(str(error)) from error


@cli.command()
@click.option("--directory", type=_FOLDER, default="build/loop", show_default=True, help="For logs and results; emptied first.")
@click.option("--seed", type=int, default=1, show_default=True, help="What the fields are drawn from.")
def loop(directory: Path, seed: int) -> None:
    """Let fields teach a better soil model: signed, tried on some gateways, then on all; and hold bad releases at their canary.

    Figures are in summary.json, the story in report.html. Exit status 1 if anything is lost or without a verdict, or a bad release goes on.
    """
    from lab.loop.run import loop as play

    try:
        raise SystemExit(0 if play(directory.resolve(), seed, Console(sys.stdout)) else 1)
    except StartFailed as error:
        raise click.ClickException(str(error)) from error


@cli.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--directory", type=_FOLDER, default="build/drills", show_default=True, help="For logs and results; emptied first.")
@click.option("--list", "listing", is_flag=True, help="Say which drills there are, and what each is about.")
def drill(names: tuple[str, ...], directory: Path, listing: bool) -> None:
    """Play what goes wrong in the field, in compressed time, and let the oracle judge; without NAME every drill.

    The gateways' and the pipeline's own code works on simulated time, into a local warehouse. What came of each drill is in summary.json:
    readings lost and repeated, cells of the views that differ from an independent calculation, and what else must hold. Exit status 1 if
    anything does not.
    """
    from lab.drills.catalogue import DRILLS
    from lab.drills.run import run

    if listing:
        click.echo("\n".join(f"{name}: {each.STORY}" for name, each in DRILLS.items()))
        return
    if unknown := [name for name in names if name not in DRILLS]:
        raise click.UsageError(f"there is no drill {unknown[0]!r}; there are {', '.join(DRILLS)}")
    try:
        sound = run(directory.resolve(), [DRILLS[name] for name in names or DRILLS], Console(sys.stdout))
    except StartFailed as error:
        raise click.ClickException(str(error)) from error
    raise SystemExit(0 if sound else 1)


@cli.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option(
    "--directory", type=_FOLDER, default="build/soak", show_default=True, help="For figures and logs; what is done there is kept."
)
@click.option("--share", type=click.FloatRange(0, 1, min_open=True), default=1.0, show_default=True, help="Run this share of each number.")
@click.option("--again", is_flag=True, help="Run those as well that are done.")
@click.option("--list", "listing", is_flag=True, help="Say which promises have a long form, and what it is to run.")
def soak(names: tuple[str, ...], directory: Path, share: float, *, again: bool, listing: bool) -> None:
    """Hold the promises at their long numbers, one after the other; without NAME every one. Takes hours.

    What ends with its tests passed is in DIRECTORY/NAME.json, and is not run again. `python -m lab.soak.report --take DIRECTORY` writes
    docs/reliability.md from it. Exit status 1 if a promise does not hold.
    """
    from lab.soak.promises import PROMISES, long_forms
    from lab.soak.run import run
    from lab.soak.tests import LongTests

    if listing:
        click.echo("\n".join(f"{name}: {PROMISES[name].asked}" for name in long_forms()))
        return
    if unknown := [name for name in names if name not in long_forms()]:
        raise click.UsageError(f"{unknown[0]!r} has no long form; these have: {', '.join(long_forms())}")
    console = Console(sys.stdout)
    sound = run(directory.resolve(), names or long_forms(), console, LongTests(console, share), again=again)
    raise SystemExit(0 if sound else 1)


@cli.command()
@click.argument("places", nargs=-1, metavar="[TESTS]...")
@click.option("--directory", type=_FOLDER, default="build/attack", show_default=True, help="For rows and logs; emptied first.")
def attack(places: tuple[str, ...], directory: Path) -> None:
    """Make every attempt of the table of attacks, and say which were accepted; with TESTS those of these files or folders of tests.

    What came of each attack is a row in summary.json. `python -m lab.attack.report --take DIRECTORY` writes docs/security.md from the rows.
    Exit status 1 if an attempt is accepted, or a test fails.
    """
    from lab.attack.run import AttackTests, run

    console = Console(sys.stdout)
    try:
        sound = run(directory.resolve(), console, AttackTests(console, places))
    except StartFailed as error:
        raise click.ClickException(str(error)) from error
    raise SystemExit(0 if sound else 1)


def _leave(number: int, frame: FrameType | None) -> None:
    """SIGTERM unwinds the stack, so that the lab stops its children first."""
    raise SystemExit(128 + number)


if __name__ == "__main__":
    cli(prog_name="tinybeam lab")
