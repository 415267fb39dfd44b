"""What must hold between the tables of a gateway's configuration. Every complaint begins with its setting."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from edge.spectrum import time_domain_units
from program.patterns import is_shadowed
from program.settings import require

if TYPE_CHECKING:
    from edge.config import Config, Sensors


def check_classes(config: Config) -> None:
    """Names stand once, a class's model is there, and each pattern has names that no class before it takes. Raises ConfigError."""
    check_unique("sensors", [sensors.name for sensors in config.sensors])
    check_unique("models", [model.name for model in config.models])
    models = [model.name for model in config.models]
    for number, sensors in enumerate(config.sensors, 1):
        known = f"[[models]]; there are {', '.join(models) or 'none'}"
        require(sensors.model is None or sensors.model in models, f"sensors[{number}].model {sensors.model!r} is not in {known}")
    _check_patterns(config.sensors)


def _check_patterns(classes: Sequence[Sensors]) -> None:
    earlier: list[str] = []
    for number, sensors in enumerate(classes, 1):
        for place, pattern in enumerate(sensors.devices, 1):
            setting = f"sensors[{number}].devices[{place}]"
            require(not is_shadowed(pattern, earlier), f"{setting}: {pattern!r} never counts: the classes before take all of its devices")
        earlier += sensors.devices


def check_frames(channels: Mapping[str, str], frames: Mapping[str, str]) -> None:
    """A channel of frames and its time-domain features are no channels of readings too. Raises ConfigError."""
    for channel, unit in frames.items():
        for name in (channel, *time_domain_units(channel, unit)):
            require(name not in channels, f"frames.{channel}: {name!r} stands in channels too")


def check_channel(setting: str, channel: str, sensors: Sensors) -> None:
    """The setting names a channel that is summarised. Raises ConfigError."""
    require(channel in sensors.units, f"{setting}: {channel!r} is not one of the class's channels: {', '.join(sensors.units)}")


def check_unique(setting: str, names: Iterable[str]) -> None:
    """Raises ConfigError."""
    for name, count in Counter(names).items():
        require(count == 1, f"{setting}: the name {name!r} stands twice")
