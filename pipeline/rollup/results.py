"""Computes what is known of a site's channel in an hour: its minutes, the hour, and what each device measured. Vectorised, pure.

A minute is made of the counted rows that lie within it. It is not there if a longer counted row lies over it or none of its rows counts:
then it has a result without values, which retracts one from before.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pipeline.rollup.hearing import Mask, counted, ends_of
from pipeline.rollup.hours import Integers
from pipeline.rollup.partials import MOMENTS, Partials
from pipeline.rollup.stats import HOUR, MINUTE, SECOND, DeviceHour, Key, Stats
from schemas import moments

Window = tuple[int, int, Stats]
"""Length and start of a window in seconds, and its statistics."""

_MINUTES = HOUR // MINUTE
_NO_VALUES: moments.Moments = (0, 0.0, 0.0, 0.0, 0.0)


class HourResults(NamedTuple):
    """Holds the windows of an hour, minutes first and the hour last, and its devices in order of their ids."""

    windows: list[Window]
    devices: tuple[DeviceHour, ...]


def results(key: Key, heard: Partials) -> HourResults:
    """Returns what the rows of an hour say of it. Each must be there once."""
    counts = counted(heard)
    [(_, of_hour)] = _merged(heard, counts, np.zeros(len(counts), np.int64))
    hour = HOUR, key.hour, _stats(of_hour, len(counts))
    return HourResults([*_minutes(key, heard, counts), hour], tuple(_devices(heard, counts)))


def _minutes(key: Key, heard: Partials, counts: Mask) -> Iterator[Window]:
    first, last = ((times - key.hour * SECOND) // (MINUTE * SECOND) for times in (heard.rows["start"], ends_of(heard) - 1))
    within = first == last
    summaries = _rows_over(first, last).tolist()
    longer = counts & ~within
    covered = _rows_over(first[longer], last[longer]) > 0
    right = dict(_merged(heard, counts & within & ~covered[first], first))
    for minute in np.unique(first[within]).tolist():
        yield MINUTE, key.hour + minute * MINUTE, _stats(right.get(minute, _NO_VALUES), summaries[minute])


def _rows_over(first: Integers, last: Integers) -> Integers:
    """Counts the rows that lie over each minute, from the first and last minute of each row."""
    beyond = np.minimum(last + 1, _MINUTES)
    over: Integers = np.cumsum(np.bincount(first, minlength=_MINUTES + 1) - np.bincount(beyond, minlength=_MINUTES + 1))
    return over


def _devices(heard: Partials, counts: Mask) -> Iterator[DeviceHour]:
    for device, (count, total, _, low, high) in _merged(heard, counts, heard.rows["device"]):
        yield DeviceHour(heard.devices[device], count, total / count, low, high)


def _merged(heard: Partials, mask: Mask, groups: npt.NDArray[np.integer]) -> Iterator[tuple[int, moments.Moments]]:
    """Yields each group that has marked rows, ascending, and the moments of those."""
    places = np.flatnonzero(mask)
    if len(places):
        order = places[np.argsort(groups[places], kind="stable")]
        starts = np.flatnonzero(np.diff(groups[order], prepend=-1))
        merged = moments.merge_groups(heard.moments(order), starts)
        columns = (groups[order[starts]], *(getattr(merged, name) for name in MOMENTS))
        yield from ((group, tuple(values)) for group, *values in zip(*(column.tolist() for column in columns), strict=True))


def _stats(values: moments.Moments, summaries: int) -> Stats:
    count, total, m2, low, high = values
    return Stats(count=count, sum=total, m2=m2, min=low, max=high, summaries=summaries)
