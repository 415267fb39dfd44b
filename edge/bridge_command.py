"""Runs `tinybeam edge bridge`."""

from __future__ import annotations

from pathlib import Path
from threading import Event

import click

from edge.bridge import Bridge, BridgeSettings
from edge.command import MISCONFIGURED, misconfigured
from edge.intake import tls
from edge.intake.client import Intake
from edge.settings.topics import TopicPattern
from program import logs, settings
from program.stop_signals import stop_event

_configured = click.option("--config", "file", type=click.Path(path_type=Path), required=True, help="The bridge's TOML file.")


@click.command()
@_configured
@logs.options
def bridge(file: Path) -> None:
    """Carry batches from an MQTT broker, to which gateways with an uplink of kind mqtt send, to Pub/Sub. SIGTERM or Ctrl-C ends it with 0.

    A message is acknowledged once Pub/Sub has it; what comes meanwhile waits in the broker.

    \b
    Example:
      tinybeam edge bridge --config bridge.toml
    """
    stopping = stop_event()
    try:
        run(settings.load(BridgeSettings, file), stopping)
    except MISCONFIGURED as error:
        misconfigured(str(error))


def run(config: BridgeSettings, stopping: Event) -> None:
    """Runs a bridge until `stopping` is set. Raises ConfigError, UplinkError."""
    topic = TopicPattern.parse("mqtt.topic", config.mqtt.topic).filter
    source = Intake(config.mqtt, config.name, tls.context(config.mqtt), [topic])
    publisher = config.uplink.open()
    click.echo(f"bridge {config.name}: {config.mqtt.topic} of {config.mqtt.host}:{config.mqtt.port} -> {config.uplink.destination}")
    source.start()
    try:
        Bridge(config, source, publisher, stopping).run()
    finally:
        source.stop()
        publisher.close()
