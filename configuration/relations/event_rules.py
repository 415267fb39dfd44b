"""Rules of events: a class of the watched devices has the threshold or the model, and it can come to the states that open an alert."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from configuration.fleet import Fleet, Member
from configuration.relations.devices import present
from configuration.relations.gateways import bundles
from program.settings import ConfigError
from schemas.records import ThresholdState

if TYPE_CHECKING:
    from edge.config import Config
    from edge.settings.sensors import Sensors
    from edge.settings.thresholds import Threshold
    from schemas.registry import RegistryFile
    from schemas.rules.event import EventRule


def find(rule: EventRule, registry: RegistryFile, fleet: Fleet) -> Iterator[str]:
    watched = [device_id for device_id, site_id in present(registry).items() if rule.watches(device_id, site_id)]
    if not watched or not fleet.gateways:
        return
    states: dict[str, set[str]] = {}
    for gateway in fleet.gateways:
        models = _labels(gateway)
        for sensors in {found.name: found for device_id in watched if (found := gateway.config.sensors_of(device_id))}.values():
            for event, possible in _events(sensors, models).items():
                states.setdefault(event, set()).update(possible)
    if rule.event not in states:
        names = ", ".join(sorted(states)) or "none"
        yield f"event: no threshold or model of its devices is named {rule.event!r}; there are {names}"
        return
    for state in rule.opens:
        if state not in states[rule.event]:
            yield f"opens: {rule.event!r} is never {state!r}; it can be {', '.join(sorted(states[rule.event]))}"


def _events(sensors: Sensors, models: dict[str, tuple[str, list[str]]]) -> dict[str, list[str]]:
    """Event -> the states that it can come to."""
    events = {threshold.name: _states(threshold) for threshold in sensors.thresholds}
    return events | dict([models[sensors.model]] if sensors.model in models else [])


def _states(threshold: Threshold) -> list[str]:
    limits = {ThresholdState.LOW: threshold.below, ThresholdState.HIGH: threshold.above}
    return [ThresholdState.NORMAL, *(state for state, limit in limits.items() if limit is not None)]


def _labels(gateway: Member[Config]) -> dict[str, tuple[str, list[str]]]:
    """Name in [[models]] -> the model's own name, which its events have, and its labels. None where a bundle cannot be read."""
    from edge.models.bundle import BundleError

    try:
        return {name: (bundle.name, list(bundle.labels)) for name, bundle in bundles(gateway).items()}
    except (ConfigError, BundleError):
        return {}
