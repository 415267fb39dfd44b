"""What states and counters did, calculated from raw readings alone: the reference that summaries, gateways, SQL and views are held against.

It walks over moments instead of points, and knows nothing of summaries.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple

DAY = 86_400_000_000


class Raw(NamedTuple):
    """A reading as its sensor took it: microseconds since 1970, and a number, or the position of a state."""

    time_us: int
    value: float


def believed(readings: Iterable[Raw], start: int, end: int) -> list[Raw]:
    """The readings that a window knows of: its own, and the last one of the day before."""
    before = [one for one in readings if start - DAY <= one.time_us < start]
    return sorted({*([max(before)] if before else []), *(one for one in readings if start <= one.time_us < end)})


def seconds_in(readings: Iterable[Raw], start: int, end: int, value: float) -> float:
    known = believed(readings, start, end)
    moments = sorted({start, end, *(one.time_us for one in known if one.time_us > start)})
    return sum(until - since for since, until in pairwise(moments) if value_at(known, since) == value) / 1e6


def value_at(known: list[Raw], moment: int) -> float | None:
    return max((one for one in known if one.time_us <= moment), default=Raw(0, -1)).value


def times_entered(readings: Iterable[Raw], start: int, end: int, value: float) -> int:
    return sum(after.value == value != before.value for before, after in pairwise(believed(readings, start, end)))


def rise(readings: Iterable[Raw], start: int, end: int, wraps_at: float | None = None) -> tuple[float, int] | None:
    total, resets, known = 0.0, 0, believed(readings, start, end)
    for before, after in pairwise(known):
        step = after.value - before.value
        if step < 0 and wraps_at and step + wraps_at <= wraps_at / 2:
            step += wraps_at
        elif step < 0:
            step, resets = after.value, resets + 1
        total += step
    return (total, resets) if len(known) > 1 else None
