"""Marks points that are none of a state or a counter: what is read off them would be no number of anybody. Vectorised, pure."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.lists import Mask, any_of, ends_of, follows_in_list
from schemas.points import LONGEST_GAP_US
from schemas.records import ChannelKind


def no_points(rows: pa.RecordBatch) -> Mask:
    """Rows of numbers, which have none, cost a few looks at columns that are empty."""
    of_kinds = ("channel_kind", "states", "wraps_at")
    lists = [rows.column(name) for name in ("point_offsets_us", "point_values")]
    if all(rows.column(name).null_count == rows.num_rows for name in of_kinds) and not any(ends_of(each)[-1] for each in lists):
        return np.zeros(rows.num_rows, bool)
    mask = _no_kind(rows)
    mask[~mask] = _no_timeline(rows.filter(pa.array(~mask)))
    return mask


def _no_kind(rows: pa.RecordBatch) -> Mask:
    """Marks kinds that there are not, and columns that another kind has."""
    kinds = rows.column("channel_kind")
    counts, of_values = (np.diff(ends_of(rows.column(name))) for name in ("point_offsets_us", "point_values"))
    of_state, of_counter = (_is_true(pc.equal(kinds, kind)) for kind in (ChannelKind.STATE, ChannelKind.COUNTER))
    mask: Mask = (counts != of_values) | ((counts > 0) != (of_state | of_counter)) | (~_is_null(kinds) != (of_state | of_counter))
    mask |= counts > rows.column("count").to_numpy() + 1
    mask |= (of_state != _is_true(pc.greater(pc.utf8_length(rows.column("states")), 0))) | (~of_state & ~_is_null(rows.column("states")))
    mask |= ~_is_null(rows.column("wraps_at")) & ~(of_counter & _is_true(pc.greater(rows.column("wraps_at"), 0)))
    return mask


def _no_timeline(rows: pa.RecordBatch) -> Mask:
    """Marks points that do not ascend, or lie outside the window and the day before it, or all before it, and values of no state."""
    offsets, values = (rows.column(name).flatten().to_numpy() for name in ("point_offsets_us", "point_values"))
    ends = ends_of(rows.column("point_offsets_us"))
    counts, names = np.diff(ends), pc.fill_null(pc.add(pc.count_substring(rows.column("states"), ","), 1), 0)
    states, length = np.repeat(names.to_numpy(), counts), np.repeat(rows.column("window_seconds").to_numpy() * 1_000_000, counts)
    wrong = (offsets < -LONGEST_GAP_US) | (offsets >= length) | ((states > 0) & ((values < 0) | (values >= states) | (values % 1 != 0)))
    wrong[1:] |= follows_in_list(ends, len(offsets)) & (offsets[1:] < offsets[:-1])
    mask = any_of(wrong, ends)
    some = np.flatnonzero(counts > 0)
    mask[some] |= offsets[ends[some + 1] - 1] < 0
    return mask


def _is_true(values: pa.Array) -> Mask:
    """A null is false."""
    mask: Mask = pc.fill_null(values, False).to_numpy(zero_copy_only=False)
    return mask


def _is_null(values: pa.Array) -> Mask:
    mask: Mask = values.is_null().to_numpy(zero_copy_only=False)
    return mask
