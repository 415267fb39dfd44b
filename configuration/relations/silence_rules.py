"""Rules of silence: they wait longer than a sound gateway may take to say something."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from configuration.fleet import Fleet
from configuration.relations.devices import present

if TYPE_CHECKING:
    from edge.config import Config
    from edge.settings.sensors import Sensors
    from schemas.registry import RegistryFile
    from schemas.rules.silence import SilenceRule


def find(rule: SilenceRule, registry: RegistryFile, fleet: Fleet) -> Iterator[str]:
    for gateway in fleet.gateways:
        config = gateway.config
        heartbeat = config.gateway.longest_heartbeat_seconds
        if rule.watches_gateway(config.gateway.id) and rule.silent_seconds <= heartbeat:
            yield _too_short(rule, heartbeat, f"{config.gateway.id} sends a heartbeat")
        watched = [device_id for device_id, site_id in present(registry).items() if rule.watches_device(device_id, site_id)]
        for sensors in {found.name: found for device_id in watched if (found := config.sensors_of(device_id))}.values():
            if rule.silent_seconds <= (longest := _longest(config, sensors)):
                yield _too_short(rule, longest, f"devices of the class {sensors.name!r} of {config.gateway.id} are heard")


def _too_short(rule: SilenceRule, longest: int, what: str) -> str:
    return f"silent_seconds must be several times {longest}, not {rule.silent_seconds}: {what} only every {longest} s"


def _longest(config: Config, sensors: Sensors) -> int:
    """The longest time between two summaries of a sound device that sends all the time."""
    window = config.windows.seconds + config.windows.grace_seconds
    waits = sensors.hold_seconds if all(channel in sensors.deadband for channel in sensors.units) else 0
    return max(window, waits) + config.batch_seconds
