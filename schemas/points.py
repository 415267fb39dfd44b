"""States what is read off the points of a state or a counter, and how points are put together.

A point is a value and its time. The points of summaries of one window, of late readings and of several gateways are one set: the union, in
any order, with or without repeats. What is asked is read off that set, so no partial result is ever added to another. Pure. The functions
points_between, states_between and counters_between state the same law in SQL. Times are microseconds since 1970.

A point before a window says what was before its first reading, if it is no older than LONGEST_GAP_US; else that is not known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, pairwise
from typing import NamedTuple

LONGEST_GAP_US = 86_400_000_000
"""A day: over a longer silence nobody knows how long a state lasted, nor when a counter rose."""


class Point(NamedTuple):
    """Holds a value and when it was read. Of one time the greater value counts as the later."""

    time_us: int
    value: float


class Increase(NamedTuple):
    """Says how much a counter rose since a time, and how often it began anew meanwhile."""

    increase: float
    resets: int
    since_us: int


class Stay(NamedTuple):
    """Says how long something was in a state, and how often it came into it."""

    us: int = 0
    entered: int = 0


def union(*sets: Iterable[Point]) -> list[Point]:
    """Returns the points of all, in order, each once."""
    return sorted(set(chain(*sets)))


def known_from(points: Sequence[Point], start_us: int) -> list[Point]:
    """Returns the points from the last one before the start on; that one is left out if it is too old."""
    within = [point for point in points if point.time_us >= start_us]
    before = [point for point in points if start_us - LONGEST_GAP_US <= point.time_us < start_us]
    return before[-1:] + within


def increase(points: Sequence[Point], start_us: int, wraps_at: float | None = None) -> Increase | None:
    """Returns how much a counter rose from the last point before the start to the last of all; None where that is not known.

    `points` are in order. Without a point before the start it is since the first point.
    """
    known = known_from(points, start_us)
    if len(known) < 2:
        return None
    steps = [_step(before.value, after.value, wraps_at) for before, after in pairwise(known)]
    return Increase(sum(step for step, _ in steps), sum(reset for _, reset in steps), known[0].time_us)


def _step(before: float, after: float, wraps_at: float | None) -> tuple[float, bool]:
    """Returns how much it rose, and whether it began anew. A wrap that were more than half of the way round is no wrap."""
    if after >= before:
        return after - before, False
    wrapped = wraps_at - before + after if wraps_at else -1.0
    if wraps_at and 0 <= wrapped <= wraps_at / 2:
        return wrapped, False
    return after, True


def stays(points: Sequence[Point], start_us: int, end_us: int) -> Mapping[float, Stay]:
    """Returns how long it was in each state from the start to the end; what is missing to that time is not known. `points` are in order."""
    known = known_from(points, start_us)
    ends = [max(point.time_us, start_us) for point in known[1:]] + [end_us]
    result: dict[float, Stay] = {}
    for number, (point, end) in enumerate(zip(known, ends, strict=True)):
        stay = result.get(point.value, Stay())
        entered = number > 0 and known[number - 1].value != point.value
        result[point.value] = Stay(stay.us + end - max(point.time_us, start_us), stay.entered + entered)
    return result
