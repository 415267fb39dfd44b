"""Names what rollups are of and what they give: keys, statistics of windows, what each device measured in an hour, rows of their tables."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from schemas.envelope import from_micros
from schemas.records import Timing

HOUR = 3600
MINUTE = 60
SECOND = 1_000_000
"""A second in microseconds; the others are in seconds."""


class Key(NamedTuple):
    """Says what a rollup is of. `hour` is its start in seconds since 1970."""

    site_id: str
    channel: str
    unit: str
    hour: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """Holds statistics of values. `summaries` counts the partial summaries that overlap the window, also those that do not count."""

    count: int
    sum: float
    m2: float
    min: float
    max: float
    summaries: int


WindowResult = tuple[Key, tuple[int, int, Stats], int, Timing]
"""One result of a window: key, (seconds, start, statistics), revision, timing."""


@dataclass(frozen=True, slots=True)
class DeviceHour:
    """Says what one device measured in an hour, by whatever gateways it was heard."""

    device_id: str
    count: int
    mean: float
    min: float
    max: float


class HourOfDevices(NamedTuple):
    """Says what each device of a site measured in an hour. A later revision replaces an earlier one; devices are in order of their ids."""

    key: Key
    revision: int
    devices: tuple[DeviceHour, ...]


def row(key: Key, window: tuple[int, int, Stats], revision: int, timing: Timing, as_of: datetime) -> dict[str, Any]:
    """Returns one row of site_windows_v1."""
    seconds, start, stats = window
    return {
        "site_id": key.site_id,
        "channel": key.channel,
        "unit": key.unit,
        "window_start": from_micros(start * SECOND),
        "window_seconds": seconds,
        "count": stats.count,
        "sum": stats.sum,
        "m2": stats.m2,
        "min": stats.min,
        "max": stats.max,
        "summaries": stats.summaries,
        "revision": revision,
        "timing": timing,
        "as_of": as_of,
    }
