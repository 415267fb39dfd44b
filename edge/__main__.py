"""Runs `tinybeam edge`: validate, try, test, run, doctor, export, models, relearn, support. Exits with 0, 1 (failed) or 2 (wrong call)."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO

import click

from edge import clock, dry_run
from edge import doctor as examination
from edge.bridge_command import bridge
from edge.command import MISCONFIGURED, configured, loaded, misconfigured
from edge.config import Config, ConfigError
from edge.finding import Status
from edge.models.bundle import BundleError
from edge.models.bundles import bundles_of
from edge.models.process_scorer import ProcessScorer
from edge.models.scorer import ScorerFailed
from edge.recording import BadLines, read_recording
from edge.rehearse_command import rehearse
from edge.relearn_command import relearn
from edge.releases.command import models
from edge.run import run as run_gateway
from edge.store.rescue import finish, rescue
from edge.store.store import TABLES, StoreDamaged, StoreError
from edge.store_opening import open_store
from edge.support_command import support
from edge.uplink.export import ExportFile
from edge.uplink.export import export as write_export
from edge.uplink.signer import signing
from program import logs, terminal
from program.files import is_visible
from program.stop_signals import stop_event


def _renamed(name: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    """Refuses an option of earlier versions, with its new name."""

    def refuse(_: click.Context, option: click.Parameter, value: Any) -> None:
        if value is not None:
            raise click.UsageError(f"{option.opts[0]} is {name} now")

    return refuse


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Run a gateway: sensors over MQTT in, batches to Pub/Sub out, everything safe on disk between.

    \b
    Copy the example that comes with TinyBeam and change it:
      python -c "import edge, pathlib; print(pathlib.Path(edge.__file__).with_name('gateway.example.toml').read_text())" > gateway.toml
    Then:
      tinybeam edge validate --config gateway.toml
      tinybeam edge try      --config gateway.toml readings.jsonl
      tinybeam edge test     --config gateway.toml gateway.test.toml
      tinybeam edge doctor   --config gateway.toml
      tinybeam edge run      --config gateway.toml
    """


@cli.command()
@configured
def validate(file: Path) -> None:
    """Check a configuration and its model bundles without starting anything.

    \b
    Example:
      tinybeam edge validate --config gateway.toml
    """
    config = loaded(file)
    try:
        bundles = bundles_of(config)
        # Each model answers its golden cases, or is refused.
        ProcessScorer(list(bundles.values())).close()
    except (ConfigError, BundleError, ScorerFailed) as error:
        misconfigured(f"{file}: {error}")
    models = ", ".join(f"{name} {bundle.version}" for name, bundle in bundles.items()) or "none"
    click.echo(f"{file}: good. Gateway {config.gateway.id}, {len(config.sensors)} classes of sensors, models: {models}.")
    if not config.signing_keys:
        click.echo(f"{file}: batches are not signed, and a pipeline refuses them unless it is told not to: set [signatures].", err=True)


@cli.command()
@configured
@logs.options
def run(file: Path) -> None:
    """Run the gateway until SIGTERM or Ctrl-C; then it stores, sends for at most ten seconds, and ends with 0.

    \b
    Example:
      tinybeam edge run --config gateway.toml
    Against Google's emulator:
      PUBSUB_EMULATOR_HOST=127.0.0.1:8085 tinybeam edge run --config gateway.toml
    """
    config = loaded(file)
    stopping = stop_event()
    source, target = f"{', '.join(config.subscriptions)} of {config.mqtt.host}:{config.mqtt.port}", config.uplink.destination
    click.echo(f"gateway {config.gateway.id}: {source} -> {target}; Ctrl-C stops it")
    try:
        run_gateway(config, stopping)
    except MISCONFIGURED as error:
        misconfigured(f"{file}: {error}")
    except (StoreError, OSError) as error:
        raise click.ClickException(str(error)) from error


@cli.command()
@configured
@click.option("--json", "as_json", is_flag=True, help="One JSON array instead of lines.")
def doctor(file: Path, as_json: bool) -> None:
    """Examine everything the gateway needs, and say what to do about what is wrong. Exit code 1 if anything fails.

    \b
    Examples:
      tinybeam edge doctor --config gateway.toml
      tinybeam edge doctor --config gateway.toml --json
    """
    findings = examination.examine(file)
    if as_json:
        click.echo(json.dumps([finding.as_dict() for finding in findings], indent=2))
    else:
        for finding in findings:
            terminal.say(f"{finding.status:4}  {finding.name}: {finding.text}" + (f" -> {finding.advice}" if finding.advice else ""))
    sys.exit(1 if any(finding.status == Status.FAIL for finding in findings) else 0)


@cli.command("try")
@click.argument("readings", type=click.File("rb"), metavar="READINGS")
@configured
@click.option(
    "--export", "directory", type=click.Path(path_type=Path, file_okay=False), help="Also write what would be sent to export files here."
)
@click.option("--card", callback=_renamed("--export"), expose_value=False, hidden=True, help="The name of --export until 0.1.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a row instead of a sentence.")
def try_out(file: Path, readings: BinaryIO, directory: Path | None, as_json: bool) -> None:
    """Show what the gateway would make of recorded READINGS (a file, or - for standard input), without broker, uplink or state; at the
    end, on standard error, which values no channel takes, and what a day like these costs in bytes up.

    A line is a reading as its sensor sends it, with device and time: {"device": "air-1", "time": "2026-05-01T12:00:00Z", "seq": 1,
    "values": {"co2": 612}}; or a topic and its payload, as mosquitto_sub -v prints them. A line that is neither is counted and passed over.
    The clock is that of the readings, so a season takes seconds. The pipeline loads export files.

    \b
    Examples:
      tinybeam edge try readings.jsonl --config gateway.toml
      tinybeam edge try readings.jsonl --config gateway.toml --export exported
      mosquitto_sub -v -t 'zigbee2mqtt/+' | tinybeam edge try - --config gateway.toml
    """
    config = loaded(file)
    try:
        bad = BadLines()
        messages = dry_run.timed(config, read_recording(readings, config, bad), clock.now)
        recording = dry_run.Recording(messages)
        with (
            logs.gathered("edge.intake.mapping") as left_out,
            TemporaryDirectory() as folder,
            dry_run.dry_run(config, recording, Path(folder)) as store,
        ):
            for kind, row in dry_run.rows(store):
                terminal.say(dry_run.as_json(kind, row) if as_json else f"{kind:11}{dry_run.sentence(kind, row)}")
            for written in write_export(store, directory, signing(config.signing_keys)) if directory else ():
                click.echo(f"{written.path}: {written.batches} batches, {written.bytes} bytes", err=True)
            for sentence in left_out:
                terminal.say(sentence, err=True)
            for sentence in recording.cost(store, config):
                click.echo(sentence, err=True)
        if bad.count:
            _passed_over(bad, recording)
    except MISCONFIGURED as error:
        misconfigured(f"{file}: {error}")
    except (StoreError, ScorerFailed, OSError) as error:
        raise click.ClickException(str(error)) from error


@cli.command()
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False), metavar="DIR")
@configured
@click.option("--json", "as_json", is_flag=True, help="One JSON array instead of lines.")
def export(file: Path, directory: Path, as_json: bool) -> None:
    """Write the waiting batches to export files in DIR, such as an SD card, for a gateway without an uplink. Stop the gateway first.

    The batches also stay in the store: what arrives twice is recognised in the cloud.

    \b
    Example:
      tinybeam edge export /media/card --config gateway.toml
    """
    config = loaded(file)
    try:
        # A store that was being set aside when the gateway died may have another name for a moment.
        finish(config.store_file)
        if not is_visible(config.store_file):
            raise click.ClickException(f"there is no store {config.store_file} that this user may see: has this gateway ever run?")
        exported = _exported(config, directory)
    except (ConfigError, StoreError, OSError) as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        click.echo(
            json.dumps([{"path": str(written.path), "batches": written.batches, "bytes": written.bytes} for written in exported], indent=2)
        )
        return
    for written in exported:
        click.echo(f"{written.path}: {written.batches} batches, {written.bytes} bytes")
    if not exported:
        click.echo("no batch waits")


def _exported(config: Config, directory: Path) -> list[ExportFile]:
    """Writes what waits; of a damaged store, after it was set aside as a gateway does, what is whole."""
    try:
        return _written(config, directory)
    except StoreDamaged as damage:
        click.echo(f"{damage}: {rescue(config.store_file, config.store.max_bytes, TABLES)}", err=True)
    return _written(config, directory)


def _written(config: Config, directory: Path) -> list[ExportFile]:
    with closing(open_store(config)) as store:
        return write_export(store, directory, signing(config.signing_keys))


def _passed_over(bad: BadLines, recording: dry_run.Recording) -> None:
    if recording.is_empty:
        raise click.UsageError(f"READINGS: {bad}")
    click.echo(str(bad), err=True)


cli.add_command(bridge)
cli.add_command(rehearse)
cli.add_command(relearn)
cli.add_command(models)
cli.add_command(support)

if __name__ == "__main__":
    cli(prog_name="tinybeam edge")
