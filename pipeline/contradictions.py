"""Marks rows whose numbers contradict each other: no gateway can have made them, and a merge or a view would break on them.

Vectorised, a few checks per column. Rows have no nulls in columns that may hold none, and finite numbers. Pure.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.lists import Integers, Mask, any_of, ends_of, follows_in_list, sums_of
from pipeline.points import no_points
from schemas.arrow import wire_columns
from schemas.intervals import SEQ_LIMIT
from schemas.records import KINDS, Kind
from schemas.sketch import BUCKETS, ONE_BUCKET, bounds

MOST_VALUES = 10**12
"""More values than this no window has, and no counter of a gateway counts: it keeps sums of counts within an int64."""

LONGEST_WINDOW = 7 * 86_400
"""Seconds. A gateway's windows divide an hour; those of older ones could be longer."""


_ROUNDING = 1e-9
"""How far a sum of values may be off, as a share of the largest: a sum of merged sums is not exact."""


def _no_length(rows: pa.RecordBatch) -> Mask:
    return _outside(_numbers(rows, "window_seconds"), 1, LONGEST_WINDOW)


def _no_count(rows: pa.RecordBatch) -> Mask:
    return _outside(_numbers(rows, "count"), 1, MOST_VALUES)


def _unordered(rows: pa.RecordBatch) -> Mask:
    low, high, last = (_numbers(rows, name) for name in ("min", "max", "last"))
    mask: Mask = (low > high) | (last < low) | (last > high)
    return mask


def _impossible_moments(rows: pa.RecordBatch) -> Mask:
    count, total, m2, low, high = (_numbers(rows, name) for name in ("count", "sum", "m2", "min", "max"))
    with np.errstate(over="ignore"):
        mean, rounding = total / count, _ROUNDING * np.maximum(np.abs(low), np.abs(high))
        spread = high - low + rounding
        mask: Mask = (mean < low - rounding) | (mean > high + rounding) | (m2 < 0) | (m2 / count > spread * spread * (1 + _ROUNDING))
    return mask


def _last_outside_window(rows: pa.RecordBatch) -> Mask:
    after_start = _numbers(rows, "last_time") - _numbers(rows, "window_start")
    return _outside(after_start, 0, _numbers(rows, "window_seconds") * 1_000_000 - 1)


def _no_numbers(rows: pa.RecordBatch) -> Mask:
    return _not_ranges(rows.column("seq_ranges"), 0, SEQ_LIMIT - 1, _numbers(rows, "count"))


def _no_sketch(rows: pa.RecordBatch) -> Mask:
    sketches, counts = rows.column("sketch"), _numbers(rows, "count")
    mask = _not_sketches(sketches, counts)
    ends, entries = ends_of(sketches), sketches.flatten().to_numpy()
    some = np.flatnonzero((np.diff(ends) > 0) & ~mask)
    lows, highs = bounds()
    for name, entry in (("min", entries[ends[some]]), ("max", entries[ends[some + 1] - 1])):
        place, value = entry >> 40, _numbers(rows, name)[some]
        mask[some] |= (value < lows[place]) | (value > highs[place])
    return mask


def _no_counters(rows: pa.RecordBatch) -> Mask:
    counted = (rows.column(name).fill_null(0).to_numpy() for name in _counters(Kind.HEARTBEATS))
    mask: Mask = np.logical_or.reduce([_outside(counts, 0, MOST_VALUES * 1000) for counts in counted])
    return mask | (_numbers(rows, "batches_cut") > MOST_VALUES)


def _no_ranges_of_batches(name: str, rows: pa.RecordBatch) -> Mask:
    return _not_ranges(rows.column(name), 1, MOST_VALUES, _numbers(rows, "batches_cut"))


def _not_ranges(ranges: pa.ListArray, smallest: int, largest: int, most: Integers) -> Mask:
    """Marks what is not [first, last, first, last, ...], ascending, from smallest to largest, of at most `most` numbers."""
    odd: Mask = np.diff(ends_of(ranges)) & 1 == 1
    if not odd.any():
        return _not_pairs(ranges, smallest, largest, most)
    odd[~odd] = _not_pairs(ranges.filter(pa.array(~odd)), smallest, largest, most[~odd])
    return odd


def _not_pairs(ranges: pa.ListArray, smallest: int, largest: int, most: Integers) -> Mask:
    bounds, ends = ranges.flatten().to_numpy(), ends_of(ranges) // 2
    firsts, lasts = bounds[::2], bounds[1::2]
    wrong = (firsts < smallest) | (lasts > largest) | (firsts > lasts)
    wrong[1:] |= follows_in_list(ends, len(firsts)) & (firsts[1:] <= lasts[:-1])
    # Each size is bounded, so that no sum of them overflows: a batch holds too few of them (MAX_RAW_BYTES / 16).
    sizes = np.minimum(lasts - firsts, MOST_VALUES) + 1
    mask: Mask = any_of(wrong, ends) | (sums_of(sizes, ends) > most)
    return mask


def _not_sketches(sketches: pa.ListArray, counts: Integers) -> Mask:
    """Marks what is neither empty nor ascending buckets that exist, of values that add up to the row's count."""
    entries, ends = sketches.flatten().to_numpy(), ends_of(sketches)
    places, values = entries >> 40, entries & (ONE_BUCKET - 1)
    wrong = (places < 1) | (places >= BUCKETS) | (values == 0)
    wrong[1:] |= follows_in_list(ends, len(entries)) & (places[1:] <= places[:-1])
    # The entries of a batch are too few (MAX_RAW_BYTES / 8) for a sum of their counts to overflow.
    mask: Mask = any_of(wrong, ends) | ((np.diff(ends) > 0) & (sums_of(values, ends) != counts))
    return mask


def _outside(values: npt.NDArray[Any], low: int, high: int | Integers) -> Mask:
    mask: Mask = (values < low) | (values > high)
    return mask


def _numbers(rows: pa.RecordBatch, name: str) -> npt.NDArray[Any]:
    column = rows.column(name)
    return (column.view(pa.int64()) if pa.types.is_timestamp(column.type) else column).to_numpy()


@cache
def _counters(kind: str) -> tuple[str, ...]:
    return tuple(column.name for column in wire_columns(KINDS[kind].record) if column.type == "int64" and not column.repeated)


_LENGTH = (f"window_seconds is not 1 to {LONGEST_WINDOW}", _no_length)

CONTRADICTIONS: dict[str, tuple[tuple[str, Callable[[pa.RecordBatch], Mask]], ...]] = {
    Kind.SUMMARIES: (
        _LENGTH,
        (f"count is not 1 to {MOST_VALUES}", _no_count),
        ("min, last and max are not in this order", _unordered),
        ("sum or m2 is not that of count values between min and max", _impossible_moments),
        ("last_time is not within the window", _last_outside_window),
        ("seq_ranges is not [first, last, ...], ascending, 0 to 2^62, of at most count numbers", _no_numbers),
        ("the sketch is none of count values from min to max", _no_sketch),
        ("the points are none of a state or a counter, in order of time within the window or a day before it", no_points),
    ),
    Kind.INFERENCES: (_LENGTH,),
    Kind.SAMPLES: (_LENGTH,),
    Kind.HEARTBEATS: (
        ("a counter is negative or beyond sense", _no_counters),
        *(
            (f"{name} is not [first, last, ...], ascending, of at most batches_cut numbers", partial(_no_ranges_of_batches, name))
            for name in ("dropped_ranges", "thinned_ranges")
        ),
    ),
}
"""Kind of rows -> sentences, each with the check that marks the rows that it is true of. A check may rely on those before it."""
