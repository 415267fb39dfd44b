"""Remembers the hours of a field: what each of its devices measured in each of them, and which of its days have rows.

The result is the same for any order, repetition and bundling of hours: of two revisions of an hour the higher counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from pipeline.rollup.stats import HOUR, HourOfDevices
from pipeline.state import StateFormat

DAY = 24 * HOUR


class DeviceValues(NamedTuple):
    """Is what one device measured of one channel in an hour."""

    device_id: str
    readings: int
    mean: float
    min: float
    max: float


Hours = dict[tuple[str, str, int], tuple[int, tuple[DeviceValues, ...]]]
"""(channel, unit, start of the hour in seconds since 1970) -> (revision, what each device measured)."""
Days = dict[int, Hours]
"""Start of the day in seconds since 1970 -> its hours."""


def day_of(seconds: int) -> int:
    """Returns the start of the UTC day that a time lies in; both in seconds since 1970."""
    return seconds // DAY * DAY


def hour_of(hour: HourOfDevices) -> Days:
    """Returns one hour as the days of its field."""
    _, channel, unit, start = hour.key
    devices = (DeviceValues(device.device_id, device.count, device.mean, device.min, device.max) for device in hour.devices)
    return {day_of(start): {(channel, unit, start): (hour.revision, tuple(sorted(devices)))}}


def merge(days: Days, more: Mapping[int, Hours]) -> Days:
    """Merges `more` into `days`, and returns it."""
    for day, hours in more.items():
        known = days.setdefault(day, {})
        for hour, measured in hours.items():
            known[hour] = max(measured, known.get(hour, measured))
    return days


def merged(hours: Iterable[HourOfDevices]) -> Days:
    """Returns the days of all these hours of one field."""
    days: Days = {}
    for hour in hours:
        merge(days, hour_of(hour))
    return days


class FieldHistory(NamedTuple):
    """Holds what is known of a field: its hours, and of each day that has a row the last revision and a digest of what it says."""

    days: Days
    revisions: dict[int, tuple[int, int]]

    def forget(self, before: datetime) -> None:
        """Drops the days that began before a time."""
        for day in [day for day in self.days if day < before.timestamp()]:
            del self.days[day]
            self.revisions.pop(day, None)

    def pack(self) -> bytes:
        """Returns the versioned bytes that the engine keeps."""
        hours = (
            _StoredHour(channel, unit, start, revision, devices)
            for of_day in self.days.values()
            for (channel, unit, start), (revision, devices) in of_day.items()
        )
        return HISTORY.pack(_StoredHistory(tuple(hours), self.revisions))

    @classmethod
    def unpack(cls, packed: bytes | None) -> FieldHistory:
        """Reads what `pack` returned; empty for a field that is new. Raises UnreadableState."""
        stored = HISTORY.unpack(packed)
        if stored is None:
            return cls({}, {})
        days: Days = {}
        for channel, unit, start, revision, devices in stored.hours:
            days.setdefault(day_of(start), {})[channel, unit, start] = revision, devices
        return cls(days, stored.revisions)


class DeviceHours(NamedTuple):
    """Is what one device measured of one channel in an hour that begins at `start` (seconds since 1970), in a unit."""

    start: int
    unit: str
    hour: DeviceValues


def by_device(days: Days, wanted: Iterable[int]) -> dict[tuple[str, str], list[DeviceHours]]:
    """Returns what each device measured of each channel on the wanted days, by channel and device in order, and in the order of time."""
    found: dict[tuple[str, str], list[DeviceHours]] = {}
    for day in wanted:
        for (channel, unit, start), (_, devices) in days.get(day, {}).items():
            for device in devices:
                found.setdefault((channel, device.device_id), []).append(DeviceHours(start, unit, device))
    for hours in found.values():
        hours.sort()
    return dict(sorted(found.items()))


class _StoredHour(NamedTuple):
    channel: str
    unit: str
    start: int
    revision: int
    devices: tuple[DeviceValues, ...]


class _StoredHistory(NamedTuple):
    hours: tuple[_StoredHour, ...]
    revisions: dict[int, tuple[int, int]]


HISTORY = StateFormat("history", 1, _StoredHistory)
"""Packs what is known of a field. Its types stand here and nowhere else, so that a change elsewhere does not change the bytes."""
