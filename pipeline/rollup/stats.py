"""Rolls summaries up to site windows: mergeable statistics per site, channel, minute and hour.

The result is the same, to rounding, for any order of arrival and any bundling. A minute takes summaries that lie within it, an hour
those that lie within it; a summary longer than an hour is in no rollup. Vectorised, then a few numbers per minute.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from functools import reduce
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.elements import RowGroup
from schemas import moments
from schemas.envelope import from_micros, micros
from schemas.records import DirtyWindow, Timing

HOUR = 3600
MINUTE = 60
WHOLE_HOUR = -1
"""Cell of what lies within the hour but within no minute of it."""

_DIRTY_BY = ("site_id", "received_time", "batch_id")
_MOMENTS = tuple(field.name for field in fields(moments.MomentColumns))
_SECOND = 1_000_000
_LARGEST = 2**63 - 1


class Key(NamedTuple):
    """Says what a rollup is of. `hour` is its start in seconds since 1970."""

    site_id: str
    channel: str
    unit: str
    hour: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """Holds mergeable statistics of values."""

    count: int
    sum: float
    m2: float
    min: float
    max: float
    summaries: int


Cells = Mapping[int, Stats]
"""Minute of the hour (or WHOLE_HOUR) -> its statistics."""

WindowResult = tuple[Key, tuple[int, int, Stats], int, Timing]
"""One result of a window: key, (seconds, start, statistics), revision, timing."""


def merge(a: Stats, b: Stats) -> Stats:
    """Returns the statistics of both sets of values."""
    count, total, m2, low, high = moments.merge(a, b)
    return Stats(count=count, sum=total, m2=m2, min=low, max=high, summaries=a.summaries + b.summaries)


def merge_cells(a: dict[int, Stats], b: Cells) -> dict[int, Stats]:
    """Merges `b` into `a`, and returns it."""
    for cell, stats in b.items():
        a[cell] = merge(a[cell], stats) if cell in a else stats
    return a


def windows(key: Key, cells: Cells) -> Iterator[tuple[int, int, Stats]]:
    """Yields (seconds, start, statistics) of each minute and last of the hour, in a fixed order."""
    for cell in sorted(cells):
        if cell != WHOLE_HOUR:
            yield MINUTE, key.hour + cell * MINUTE, cells[cell]
    yield HOUR, key.hour, reduce(merge, (cells[cell] for cell in sorted(cells)))


def partials(row_group: RowGroup) -> Iterator[tuple[Key, dict[int, Stats]]]:
    """Yields what summaries with their sites add to each site, channel and hour."""
    rows, cells = _within_hours(row_group.rows)
    if not rows.num_rows:
        return
    groups = _groups(rows, cells)
    hours: dict[Key, dict[int, Stats]] = {}
    for key, cell, stats in zip(groups.keys, groups.cells, _statistics(rows, groups), strict=True):
        hours.setdefault(key, {})[cell] = stats
    yield from hours.items()


def row(key: Key, window: tuple[int, int, Stats], revision: int, timing: Timing, as_of: datetime) -> dict[str, Any]:
    """Returns one row of site_windows_v1."""
    seconds, start, stats = window
    return {
        "site_id": key.site_id,
        "channel": key.channel,
        "unit": key.unit,
        "window_start": from_micros(start * _SECOND),
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


def split_late(row_group: RowGroup, lateness: timedelta, now: datetime) -> tuple[RowGroup, list[dict[str, Any]]]:
    """Returns the rows that are not too late for their hour, and a row of dirty_windows_v1 for each batch, site and hour of the others.

    Too late is more than `lateness` after the end of the hour, by `received_time`, or by `now` if the message waited before it was read.
    """
    rows = row_group.rows
    read = np.maximum(rows.column("received_time").view(pa.int64()).to_numpy(), micros(now))
    hours = _starts(rows) // (HOUR * _SECOND)
    late = (hours + 1) * HOUR * _SECOND < read - lateness // timedelta(microseconds=1)
    if not late.any():
        return row_group, []
    marks = rows.select(_DIRTY_BY).filter(pa.array(late))
    dirty = sorted(set(zip(hours[late].tolist(), *(column.to_pylist() for column in marks.columns), strict=True)))
    return row_group.with_rows(rows.filter(pa.array(~late))), [_dirty(*mark) for mark in dirty]


def _dirty(hour: int, site_id: str, received_time: datetime, batch_id: str) -> dict[str, Any]:
    window = DirtyWindow(site_id, from_micros(hour * HOUR * _SECOND), HOUR, received_time, batch_id)
    return {name: getattr(window, name) for name in DirtyWindow.__slots__}


def _starts(rows: pa.RecordBatch) -> npt.NDArray[np.int64]:
    starts: npt.NDArray[np.int64] = rows.column("window_start").view(pa.int64()).to_numpy()
    return starts


def _within_hours(rows: pa.RecordBatch) -> tuple[pa.RecordBatch, npt.NDArray[np.int64]]:
    """Returns the rows that lie within one hour, and the cell of each."""
    first = _starts(rows)
    last = first + np.minimum(rows.column("window_seconds").to_numpy(), 2 * HOUR) * _SECOND - 1
    within = first // (HOUR * _SECOND) == last // (HOUR * _SECOND)
    minute = first // (MINUTE * _SECOND)
    cells = np.where(minute == last // (MINUTE * _SECOND), minute % MINUTE, WHOLE_HOUR)
    return (rows, cells) if within.all() else (rows.filter(pa.array(within)), cells[within])


class _Groups(NamedTuple):
    """Orders rows by their groups: where each group starts, and what it is of."""

    order: npt.NDArray[np.int64]
    starts: npt.NDArray[np.int64]
    keys: list[Key]
    cells: list[int]


def _groups(rows: pa.RecordBatch, cells: npt.NDArray[np.int64]) -> _Groups:
    """Orders rows by site, channel, unit, hour and cell."""
    columns = [rows.column(name).dictionary_encode() for name in ("site_id", "channel", "unit")]
    hours, hour = np.unique(_starts(rows) // (HOUR * _SECOND) * HOUR, return_inverse=True)
    codes = [*(column.indices.to_numpy() for column in columns), hour]
    sizes = [*(len(column.dictionary) for column in columns), len(hours)]
    groups = _combined([*codes, cells - WHOLE_HOUR], [*sizes, MINUTE + 1])
    order = np.argsort(groups, kind="stable")
    starts = np.flatnonzero(np.diff(groups[order], prepend=-1))
    firsts = order[starts]
    names = [*(column.dictionary.to_pylist() for column in columns), hours.tolist()]
    keys = [
        Key(*(names[place][code] for place, code in enumerate(group)))
        for group in zip(*(code[firsts].tolist() for code in codes), strict=True)
    ]
    return _Groups(order, starts, keys, cells[firsts].tolist())


def _combined(codes: list[npt.NDArray[np.int64]], sizes: list[int]) -> npt.NDArray[np.int64]:
    """Gives one number to each combination of codes, for one sort is cheaper than five. Each code is below its size."""
    combined, span = np.zeros(len(codes[0]), np.int64), 1
    for code, size in zip(codes, sizes, strict=True):
        if span * size > _LARGEST:
            distinct, combined = np.unique(combined, return_inverse=True)
            span = len(distinct)
        combined, span = combined * size + code, span * size
    return combined


def _statistics(rows: pa.RecordBatch, groups: _Groups) -> list[Stats]:
    """Returns the statistics of each group."""
    summaries = moments.MomentColumns(*(rows.column(name).to_numpy()[groups.order] for name in _MOMENTS))
    merged = moments.merge_groups(summaries, groups.starts)
    columns = (*(getattr(merged, name) for name in _MOMENTS), np.diff(np.append(groups.starts, rows.num_rows)))
    return [
        Stats(count=count, sum=total, m2=m2, min=low, max=high, summaries=size)
        for count, total, m2, low, high, size in zip(*(values.tolist() for values in columns), strict=True)
    ]
