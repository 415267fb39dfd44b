"""Judges probes: which of them can be believed, and what they say. A probe that cannot be is left out, by name and with the reason.

A value is impossible beyond the limits of its channel, for moisture also beyond what the field's soil can hold; one such value spoils its
hour, since it is in the hour's mean. A probe whose values do not move at all for days is frozen. An hour that is spoilt may be bridged
by the one before it for a while; then the probe is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

from pipeline.irrigation.crops import Soil
from pipeline.irrigation.hours import DeviceHours
from pipeline.rollup.stats import HOUR

PROBE_ACCURACY = 0.03
"""By how much in m3/m3 a sound probe may read above what its soil can hold: the accuracy that makers state without calibration."""
FROZEN_HOURS = 96
"""For how long a probe must say one value and no other to be called frozen."""
FROZEN_GAP_HOURS = 24
"""What it said during a longer silence is not known."""
BRIDGED_HOURS = 6
"""For how long the last sound hour stands in for the impossible ones that follow it."""
LAST_WORD_HOURS = 24
"""How old the last word of a probe may be beside those of others: one that speaks once a day counts as much as one that never stops."""


@dataclass(frozen=True, slots=True)
class Channel:
    """Says in which units a quantity may be declared, as (factor, offset) to the unit of `low` and `high`, its physical limits."""

    name: str
    unit: str
    units: Mapping[str, tuple[float, float]]
    low: float
    high: float
    hours: int
    """How far back from its latest hour a device's hours are asked for: no further ones change a row."""


MOISTURE = Channel(
    "moisture",
    "m3/m3",
    MappingProxyType(
        dict.fromkeys(("m3/m3", "m³/m³", "cm3/cm3"), (1.0, 0.0)) | dict.fromkeys(("%", "percent", "vol%", "% vol", "vol.%"), (0.01, 0.0))
    ),
    0.0,
    1.0,
    hours=2 * LAST_WORD_HOURS + BRIDGED_HOURS,
)
TEMPERATURE = Channel(
    "temperature",
    "degC",
    MappingProxyType(
        dict.fromkeys(("degC", "°C", "C", "Cel"), (1.0, 0.0))
        | dict.fromkeys(("degF", "°F", "F"), (5 / 9, -160 / 9))
        | {"K": (1.0, -273.15)}
    ),
    -60.0,
    60.0,
    hours=96,
)
RAIN = Channel(
    "rain", "mm", MappingProxyType(dict.fromkeys(("mm", "l/m2", "l/m²"), (1.0, 0.0)) | {"in": (25.4, 0.0)}), 0.0, 150.0, hours=48
)
"""What fell since the reading before: an hour has the sum of them."""

CHANNELS = MappingProxyType({channel.name: channel for channel in (MOISTURE, TEMPERATURE, RAIN)})


class Sound(NamedTuple):
    """Is an hour of a probe that can be believed, in the channel's own unit. `start` is in seconds since 1970."""

    start: int
    mean: float
    readings: int


class Verdict(NamedTuple):
    """Is what is thought of one probe of one channel at the end of a day: its latest hour as declared, and why it is not believed."""

    device_id: str
    channel: str
    latest: DeviceHours
    sound: tuple[Sound, ...]
    """Its hours that can be believed, in the order of time."""
    fault: str | None
    """Why its latest hour cannot be believed."""

    @property
    def usable(self) -> bool:
        """Tells whether it has a sound hour that is not too long ago."""
        return bool(self.sound) and self.latest.start - self.sound[-1].start <= BRIDGED_HOURS * HOUR


def judge(channel: Channel, soil: tuple[str, Soil], device_id: str, hours: Sequence[DeviceHours]) -> Verdict:
    """Judges a probe by its hours of the last days, in the order of time; `soil` with the name that people use."""
    if frozen := _frozen(channel, hours):
        return Verdict(device_id, channel.name, hours[-1], (), frozen)
    lately = [hour for hour in hours if hours[-1].start - hour.start <= channel.hours * HOUR]
    faults = [_fault(channel, soil, hour) for hour in lately]
    sound = tuple(_sound(channel, hour) for hour, fault in zip(lately, faults, strict=True) if fault is None)
    return Verdict(device_id, channel.name, hours[-1], sound, faults[-1])


def _sound(channel: Channel, hour: DeviceHours) -> Sound:
    factor, offset = channel.units[hour.unit]
    return Sound(hour.start, hour.hour.mean * factor + offset, hour.hour.readings)


def _fault(channel: Channel, soil: tuple[str, Soil], hour: DeviceHours) -> str | None:
    if hour.unit not in channel.units:
        return f"{hour.unit!r} is no unit of {channel.name}: declare one of {', '.join(channel.units)}"
    factor, offset = channel.units[hour.unit]
    low, high = (value * factor + offset for value in (hour.hour.min, hour.hour.max))
    if low < channel.low or high > channel.high:
        wrong = hour.hour.min if low < channel.low else hour.hour.max
        return f"{channel.name} of {wrong:g} {hour.unit} is impossible"
    return _fault_in_soil(soil, hour, low, high) if channel is MOISTURE else None


def _fault_in_soil(soil: tuple[str, Soil], hour: DeviceHours, low: float, high: float) -> str | None:
    name, ground = soil
    if low < ground.residual / 2:
        return f"moisture of {hour.hour.min:g} {hour.unit} is less than {name} ever has: the probe is dead, in the air, or in another unit"
    if high > ground.saturation + PROBE_ACCURACY:
        return f"moisture of {hour.hour.max:g} {hour.unit} is more than {name} can hold: the probe is broken, or in another unit"
    return None


def _frozen(channel: Channel, hours: Sequence[DeviceHours]) -> str | None:
    """Says that a probe is frozen. A rain gauge in the dry is not."""
    latest, first = hours[-1], hours[-1].start
    for hour in reversed(hours):
        if channel is RAIN or hour.unit != latest.unit or not hour.hour.min == hour.hour.max == latest.hour.max:
            return None
        if first - hour.start > FROZEN_GAP_HOURS * HOUR:
            return None
        first = hour.start
        if latest.start - first >= (FROZEN_HOURS - 1) * HOUR:
            return f"{channel.name} is frozen: {latest.hour.max:g} {latest.unit} and nothing else for {FROZEN_HOURS} h"
    return None
