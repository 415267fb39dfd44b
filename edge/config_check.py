"""Checks what must hold between the settings of a gateway's configuration. Every complaint begins with its setting."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from edge.spectrum import time_domain_units
from edge.units import Range, alike, conversion
from program.files import is_visible
from program.patterns import is_shadowed
from program.settings import require

if TYPE_CHECKING:
    from edge.settings.mqtt import MqttSettings
    from edge.settings.payload import PayloadSettings
    from edge.settings.renewal import RenewalSettings
    from edge.settings.sensors import Sensors
    from edge.settings.thresholds import Threshold


def check_renewal(renewal: RenewalSettings, mqtt: MqttSettings) -> None:
    """Raises ConfigError if a certificate is to be renewed that no renewal could replace at once together with its key."""
    if renewal.server:
        is_one_file = mqtt.tls_certificate is not None and mqtt.tls_certificate == mqtt.tls_key
        require(is_one_file, "renewal.server renews key and certificate in one file: name it as mqtt.tls_certificate and mqtt.tls_key")


def check_models(used: Sequence[str | None], models: Collection[str]) -> None:
    """Raises ConfigError unless each model that a class of sensors names is among the models. A class may name none."""
    for number, model in enumerate(used, 1):
        known = f"[[models]]; there are {', '.join(models) or 'none'}"
        require(model is None or model in models, f"sensors[{number}].model {model!r} is not in {known}")


def check_patterns(classes: Sequence[Sequence[str]]) -> None:
    """Raises ConfigError unless each pattern of a class has names that the patterns of no class before it take."""
    earlier: list[str] = []
    for number, patterns in enumerate(classes, 1):
        for place, pattern in enumerate(patterns, 1):
            setting = f"sensors[{number}].devices[{place}]"
            require(not is_shadowed(pattern, earlier), f"{setting}: {pattern!r} never counts: the classes before take all of its devices")
        earlier += patterns


def check_frames(channels: Mapping[str, str], frames: Mapping[str, str]) -> None:
    """Raises ConfigError if a channel of frames, or one of its time-domain features, is a channel of readings too."""
    for channel, unit in frames.items():
        for name in (channel, *time_domain_units(channel, unit)):
            require(name not in channels, f"frames.{channel}: {name!r} stands in channels too")


def check_files(files: Mapping[str, Path | None]) -> None:
    """Raises ConfigError for a setting whose file is not there, or not for this user."""
    for setting, file in files.items():
        require(file is None or is_visible(file), f"{setting}: there is no file {file} that this user may see")


def check_channel(setting: str, channel: str, known: Collection[str]) -> None:
    """Raises ConfigError unless the setting names a channel that is summarised."""
    require(channel in known, f"{setting}: {channel!r} is not one of the class's channels: {', '.join(known)}")


def check_threshold(setting: str, threshold: Threshold, unit: str, valid: Range) -> None:
    """Raises ConfigError for limits in another unit than the channel's, and for one that no valid value of the channel can cross."""
    require(
        threshold.unit in (None, unit),
        f"{setting}.unit is {threshold.unit}, and {threshold.channel} is in {unit}{_limits(threshold, unit)}",
    )
    for name, limit in (("below", threshold.below), ("above", threshold.above)):
        sentence = f"{setting}.{name} {limit} is in {unit}, where {threshold.channel} is {valid}: it says nothing"
        require(limit is None or limit in valid, sentence)


def _limits(threshold: Threshold, unit: str) -> str:
    """Says what a threshold's limits are in the unit, where that is known."""
    convert = conversion(threshold.unit or unit, unit)
    limits = {name: limit for name, limit in (("below", threshold.below), ("above", threshold.above)) if limit is not None}
    return ": write " + " and ".join(f"{name} = {convert(limit):.6g}" for name, limit in limits.items()) if convert else ""


def check_meanings(payload: PayloadSettings, channels: Mapping[str, str]) -> None:
    """Raises ConfigError for what is said of a channel that the class does not have, and for units that nobody can convert."""
    for name in ("scale", "offset", "units", "unit_at"):
        for channel in getattr(payload, name):
            check_channel(f"payload.{name}.{channel}", channel, channels)
    for channel in payload.booleans:
        check_channel("payload.booleans", channel, channels)
    for source, channel in payload.rename.items():
        check_channel(f"payload.rename.{source}", channel, channels)
    for channel, unit in payload.units.items():
        known = f", only to {', '.join(alike(unit))}" if alike(unit) else ""
        sentence = f"payload.units.{channel}: nobody can convert {unit!r} to {channels[channel]!r}{known}; payload.scale can say how"
        require(conversion(unit, channels[channel]), sentence)


def check_kinds(sensors: Sensors) -> None:
    """Raises ConfigError for a kind of what is no channel, and for what is said of such a channel and makes no sense for its kind."""
    for channel, kind in sensors.kinds.items():
        check_channel(f"kinds.{channel}", channel, sensors.channels)
        for setting, reason in kind.unfit().items():
            require(channel not in _named(sensors, setting), f"{setting}: {channel!r} is a {kind.WORD}, and {reason}")
        scale = sensors.payload.scale.get(channel, 1.0) if sensors.payload else 1.0
        require(scale > 0, f"payload.scale.{channel}: it is a {kind.WORD}, which a scale below 0 would turn round")


def _named(sensors: Sensors, setting: str) -> Collection[str]:
    """Returns the channels that a setting of the class names."""
    table, _, name = setting.rpartition(".")
    settings = getattr(sensors, table) if table else sensors
    named = getattr(settings, name, ())
    return [threshold.channel for threshold in named] if name == "thresholds" else named


def check_unique(setting: str, names: Iterable[str]) -> None:
    """Raises ConfigError if a name stands twice."""
    for name, count in Counter(names).items():
        require(count == 1, f"{setting}: the name {name!r} stands twice")
