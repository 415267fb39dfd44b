"""Holds each reading against what its device and its class may cost, before it is stored. Pure.

Guarantees that what is counted here is bounded itself: by the hour, by the device, and over all devices.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec

from edge.intake.known_devices import KnownDevices
from edge.reading import Reading, Rejected
from edge.settings.limits import LimitSettings
from edge.settings.sensors import Sensors

MOST_NAMES = 100_000
"""So many undeclared channels all devices have together in an hour."""


class Admitted(NamedTuple):
    """Holds what of a reading is taken, None for nothing, and what is set aside."""

    reading: Reading | None
    rejected: Rejected | None = None


class SenderLimits:
    """Counts readings and channels of each device in an hour, and knows the devices.

    Usage: `limits.is_within(reading, sensors.name) or limits.admit(reading, sensors)`.
    """

    def __init__(self, limits: LimitSettings, classes: Iterable[Sensors], devices: KnownDevices) -> None:
        self._limits, self._devices = limits, devices
        self._declared: Mapping[str, frozenset[str]] = {sensors.name: frozenset(sensors.units) for sensors in classes}
        self._hour = devices.hour
        self._left: dict[str, int] = {}
        """How many readings more of each device that was heard in this hour are taken."""
        self._channels: defaultdict[str, set[str]] = defaultdict(set)
        self._names = 0

    def is_within(self, reading: Reading, sensors: str) -> bool:
        """Takes a reading of a class and says True, where that can be said at once: nearly always."""
        left = self._left.get(reading.device_id, 0)
        if left and self._devices.hour == self._hour and self._declared[sensors].issuperset(reading.values):
            self._left[reading.device_id] = left - 1
            return True
        return False

    def admit(self, reading: Reading, sensors: Sensors) -> Admitted:
        """Returns what of the reading is taken."""
        if self._devices.hour != self._hour:
            self._begin_hour()
        if not self._devices.is_heard(reading.device_id, sensors.name):
            most = f"limits.devices = {self._limits.devices}"
            return _refused("too_many_devices", f"the class {sensors.name} has more devices than {most}", reading)
        left = self._left.get(reading.device_id, self._limits.readings)
        if left <= 0:
            return _refused("too_many_readings", f"more than limits.readings = {self._limits.readings} of one device in an hour", reading)
        self._left[reading.device_id] = left - 1
        declared = self._declared[sensors.name]
        return Admitted(reading) if declared.issuperset(reading.values) else self._with_few_channels(reading, declared)

    def _begin_hour(self) -> None:
        self._hour, self._names = self._devices.hour, 0
        self._left.clear()
        self._channels.clear()

    def _with_few_channels(self, reading: Reading, declared: frozenset[str]) -> Admitted:
        known = self._channels[reading.device_id]
        surplus = [channel for channel in reading.values if channel not in declared and not self._is_known(channel, known)]
        if not surplus:
            return Admitted(reading)
        most = f"limits.undeclared_channels = {self._limits.undeclared_channels}"
        sentence = f"more than {most} of one device in an hour, such as {surplus[0]}: declare them in channels of its class"
        rejected = _refused("too_many_channels", sentence, msgspec.structs.replace(reading, values=_of(reading, surplus))).rejected
        left = {channel: value for channel, value in reading.values.items() if channel not in surplus}
        return Admitted(msgspec.structs.replace(reading, values=left) if left or reading.bands else None, rejected)

    def _is_known(self, channel: str, known: set[str]) -> bool:
        """Says whether an undeclared channel is among those of the device in this hour; while there is room it is from now on."""
        if channel in known:
            return True
        if len(known) >= self._limits.undeclared_channels or self._names >= MOST_NAMES:
            return False
        known.add(channel)
        self._names += 1
        return True


def _of(reading: Reading, channels: Iterable[str]) -> dict[str, float]:
    return {channel: reading.values[channel] for channel in channels}


def _refused(reason: str, sentence: str, reading: Reading) -> Admitted:
    """Sets a reading aside as a payload that can be published once more."""
    payload = {"time": reading.event_us / 1e6, "seq": reading.seq, "boot": reading.boot, "values": reading.values}
    body = msgspec.json.encode({name: value for name, value in payload.items() if value is not None})
    return Admitted(None, Rejected(reason, sentence, body, reading.device_id, seq=reading.seq))
