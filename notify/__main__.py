"""`tinybeam notify`: run, validate. Exit codes: 0, 1 (failed), 2 (usage or configuration)."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from notify.config import Config, ConfigError, load
from notify.sent_log import SentLogError
from program import logs
from program.stop_signals import stop_event


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Tell people of alerts: follows the pipeline's alerts topic, and sends each notification once, to stdout, webhooks and mail.

    \b
    The pipeline publishes alerts when it gets their topic:
      tinybeam pipeline --alerts_topic=projects/my-project/topics/alerts ...
    The topic needs a subscription of this notifier's own:
      gcloud pubsub subscriptions create notify --topic=alerts --ack-deadline=60
    Copy the example that comes with TinyBeam and change it:
      python -c "import notify, pathlib; print(pathlib.Path(notify.__file__).with_name('notify.example.toml').read_text())" > notify.toml
    Then:
      tinybeam notify validate --config notify.toml
      tinybeam notify run      --config notify.toml
    """


_option = click.option("--config", "file", type=click.Path(path_type=Path), required=True, help="The notifier's TOML file.")


@cli.command()
@_option
def validate(file: Path) -> None:
    """Check a configuration without starting anything.

    \b
    Example:
      tinybeam notify validate --config notify.toml
    """
    config = _loaded(file)
    receivers = dict.fromkeys(name for route in config.routes for name in route.receivers)
    click.echo(f"{file}: good. {config.pubsub.subscription}, {len(config.routes)} routes to {', '.join(receivers)}.")


@cli.command()
@_option
@logs.options
def run(file: Path) -> None:
    """Follow the subscription until SIGTERM or Ctrl-C, then end with 0. What is not sent yet comes again at the next start.

    \b
    Example:
      tinybeam notify run --config notify.toml
    Against Google's emulator:
      PUBSUB_EMULATOR_HOST=127.0.0.1:8085 tinybeam notify run --config notify.toml
    """
    from notify.run import run as run_notifier
    from notify.subscription import SubscriptionError

    config = _loaded(file)
    stopping = stop_event()
    click.echo(f"notifier: {config.pubsub.subscription}; Ctrl-C stops it", err=True)
    try:
        run_notifier(config, stopping)
    except (ConfigError, SubscriptionError, SentLogError) as error:
        raise click.ClickException(str(error)) from error


def _loaded(file: Path) -> Config:
    try:
        return load(file)
    except ConfigError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    cli(prog_name="tinybeam notify")
