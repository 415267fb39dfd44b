"""Rules of rollups: a device at the watched sites measures the channel, in one unit, in windows that the rollup can hold."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from configuration.fleet import Fleet
from configuration.relations.devices import present

if TYPE_CHECKING:
    from edge.config import Config
    from edge.settings.sensors import Sensors
    from schemas.registry import RegistryFile
    from schemas.rules.site_window import SiteWindowRule

_MINUTE = 60


def find(rule: SiteWindowRule, registry: RegistryFile, fleet: Fleet) -> Iterator[str]:
    devices = [device_id for device_id, site_id in present(registry).items() if rule.watches(site_id)]
    classes = {
        (gateway.config.gateway.id, sensors.name): (gateway.config, sensors)
        for gateway in fleet.gateways
        for device_id in devices
        if (sensors := gateway.config.sensors_of(device_id))
    }
    channels = {channel for _, sensors in classes.values() for channel in sensors.units}
    if classes and rule.channel not in channels:
        yield f"channel: no device at its sites measures {rule.channel!r}; there are {', '.join(sorted(channels))}"
    measuring = [(config, sensors) for config, sensors in classes.values() if rule.channel in sensors.units]
    yield from _confuses_units(rule, {sensors.units[rule.channel] for _, sensors in measuring})
    if rule.window_seconds == _MINUTE:
        yield from (sentence for config, sensors in measuring for sentence in _hinders_minutes(rule.channel, config, sensors))


def _confuses_units(rule: SiteWindowRule, units: set[str]) -> Iterator[str]:
    if rule.unit is None and len(units) > 1:
        yield f"unit: devices at its sites measure {rule.channel} in {' and '.join(sorted(units))}: name the unit that the limit is in"
    if rule.unit is not None and units and rule.unit not in units:
        yield f"unit: no device at its sites measures {rule.channel} in {rule.unit!r}; there is {', '.join(sorted(units))}"


def _hinders_minutes(channel: str, config: Config, sensors: Sensors) -> Iterator[str]:
    whose = f"of {config.gateway.id}'s {sensors.name!r}"
    if _MINUTE % config.windows.seconds:
        yield f"window_seconds: windows {whose} of {config.windows.seconds} s do not lie within minutes; watch the hour, 3600"
    if channel in sensors.deadband:
        yield f"window_seconds: windows {whose} within the deadband of {channel} are in hours alone; watch the hour, 3600"
