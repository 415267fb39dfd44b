"""Loads the bundles of a configuration: each is sound, and each class of sensors gives its model what it needs, in the model's units."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from edge.config import Config
from edge.frame import max_bytes
from edge.models.bundle import Bundle, BundleError
from edge.settings.sensors import Sensors
from edge.units import Range, conversion
from program.settings import ConfigError


def bundles_of(config: Config) -> dict[str, Bundle]:
    """Loads the bundles by the names in [[models]]. Raises BundleError; ConfigError for a class that lacks what its model needs."""
    bundles = {model.name: Bundle.load(model.bundle) for model in config.models}
    _check(config, bundles)
    for model in config.models:
        if model.shadow:
            shadow_bundle(config, model.name, model.shadow, bundles[model.name])
    return bundles


def bundle_of(model: str, path: Path) -> Bundle:
    """Loads a bundle of that model. Raises BundleError, also for another model's."""
    bundle = Bundle.load(path)
    if bundle.name != model:
        raise BundleError(f"{path}: its manifest names the model {bundle.name!r}")
    return bundle


def sound_bundles_of(config: Config) -> tuple[dict[str, Bundle], dict[str, BundleError]]:
    """Loads the bundles that are sound, and says what is wrong with the others. Raises ConfigError as bundles_of does."""
    bundles, faults = dict[str, Bundle](), dict[str, BundleError]()
    for model in config.models:
        try:
            bundles[model.name] = Bundle.load(model.bundle)
        except BundleError as fault:
            faults[model.name] = fault
    _check(config, bundles)
    return bundles, faults


def _check(config: Config, bundles: Mapping[str, Bundle]) -> None:
    names = [bundle.name for bundle in bundles.values()]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ConfigError(f"models: two of the bundles are of the model {twice!r}")
    for name, bundle in bundles.items():
        check_fits(config, name, bundle)


def check_fits(config: Config, name: str, bundle: Bundle) -> None:
    """Raises ConfigError for a class that lacks what the bundle needs, whose [[models]] has that name."""
    for sensors in (each for each in config.sensors if each.model == name):
        if lacking := _lacking(config, sensors, bundle):
            raise ConfigError(f"sensors {sensors.name!r}: model {sensors.model!r} needs {lacking}")
        if bundle.name in {threshold.name for threshold in sensors.thresholds}:
            raise ConfigError(
                f"sensors {sensors.name!r}: a threshold and events of the model {sensors.model!r} are both named {bundle.name!r}"
            )


def shadow_bundle(config: Config, name: str, path: Path, beside: Bundle) -> Bundle:
    """Loads what is to score beside another bundle. Raises BundleError and ConfigError for one that cannot."""
    bundle = Bundle.load(path)
    if bundle.name != beside.name:
        raise BundleError(f"{path}: it is of the model {bundle.name!r}, and in the shadow of {beside.name!r}")
    check_fits(config, name, bundle)
    return bundle


def _conversion(sensors: Sensors, channel: str, unit: str) -> str:
    """Says how a channel comes to be in the unit, where that is known."""
    known = sensors.units.get(channel)
    if known is None or not conversion(known, unit):
        return ""
    return f': write channels = {{ {channel} = "{unit}" }} and [sensors.payload] units = {{ {channel} = "{known}" }}, which converts it'


def _overlap(first: Range, second: Range) -> bool:
    both = first.within(second)
    return both.low < both.high


def _lacking(config: Config, sensors: Sensors, bundle: Bundle) -> str | None:
    """Says what a bundle needs of the channels, frames and messages of a class and does not get."""
    spectrum = bundle.recipe.spectrum
    for channel, unit in bundle.units.items():
        if spectrum and channel == spectrum.channel:
            if sensors.frames.get(channel) != unit:
                return f"frames of the channel {channel!r} in {unit}"
        elif sensors.inputs.get(channel) != unit:
            return f"the channel {channel!r} in {unit}" + _conversion(sensors, channel, unit)
        elif not _overlap(sensors.valid(channel), bundle.ranges[channel]):
            return f"{channel} of {bundle.ranges[channel]} {unit}, and the class says that it is {sensors.valid(channel)}"
    needed = max_bytes(spectrum.samples) if spectrum else 0
    return f"mqtt.max_payload_bytes of at least {needed}" if needed > config.mqtt.max_payload_bytes else None
