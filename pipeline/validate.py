"""Sets aside the rows that no table could hold or no query could trust; their good neighbours go on.

Vectorised: rows without a bad one among them cost a few checks per column and no copy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.contradictions import CONTRADICTIONS
from pipeline.elements import RejectedRows, RowGroup, TableRows
from pipeline.lists import Mask
from schemas.arrow import wire_columns
from schemas.envelope import from_micros, micros
from schemas.records import KINDS, TABLES

OLDEST = timedelta(days=1824)
FURTHEST = timedelta(days=365)
"""BigQuery refuses partitions older than 1825 days or further than 366 days ahead: a day is kept for the time that a write may take."""

_Check = Callable[[pa.RecordBatch, str, datetime], Mask | None]

_FIRST = micros(datetime.min.replace(tzinfo=UTC))
_LAST = micros(datetime.max.replace(tzinfo=UTC))
_PARTITIONS = {table.name: table.partition for table in TABLES.values()}


def validate(row_group: RowGroup, now: datetime) -> tuple[RowGroup, list[RejectedRows]]:
    """Returns the good rows (maybe none) and the others, each under the first reason that applies to it."""
    rows, rejected = row_group.rows, []
    for reason, text, check in _checks(row_group.kind, now):
        bad = check(rows)
        if bad is not None and bad.any():
            rejected.append(RejectedRows(reason, text, rows.filter(pa.array(bad))))
            rows = rows.filter(pa.array(~bad))
    return (row_group.with_rows(rows) if rejected else row_group), rejected


def _checks(kind: str, now: datetime) -> Iterator[tuple[str, str, Callable[[pa.RecordBatch], Mask | None]]]:
    """Yields reason, sentence and check, in order: a check may rely on those before it."""
    for reason, text, check in _CHECKS:
        yield reason, text, _at(check, kind, now)
    for text, contradicts in CONTRADICTIONS.get(kind, ()):
        yield "contradiction", text, contradicts


def _at(check: _Check, kind: str, now: datetime) -> Callable[[pa.RecordBatch], Mask | None]:
    return lambda rows: check(rows, kind, now)


def within_partitions(rows: TableRows, now: datetime) -> tuple[TableRows | None, RejectedRows | None]:
    """Returns the rows that BigQuery has a partition for, and the others."""
    partition = _PARTITIONS[rows.table]
    bad = _outside(rows.rows.column(partition), now - OLDEST, now + FURTHEST) if partition else np.zeros(0, bool)
    if not bad.any():
        return rows, None
    rejected = RejectedRows("time_out_of_range", _OUT_OF_RANGE, rows.rows.filter(pa.array(bad)))
    return (None if bad.all() else TableRows(rows.table, rows.rows.filter(pa.array(~bad)))), rejected


def _nulls(rows: pa.RecordBatch, kind: str, now: datetime) -> Mask | None:
    """Marks nulls in columns that may hold none, and null elements of lists."""
    return _union(_required_nulls(rows, _columns(kind)))


def _required_nulls(rows: pa.RecordBatch, columns: _Columns) -> Iterator[Mask]:
    for array in map(rows.column, columns.required):
        if array.null_count:
            yield array.is_null().to_numpy(zero_copy_only=False)
    for array in map(rows.column, columns.lists):
        if array.values.null_count and array.flatten().null_count:
            yield _rows_of_elements(array, array.flatten().is_null())


def _not_finite(rows: pa.RecordBatch, kind: str, now: datetime) -> Mask | None:
    return _union(_infinities(rows, _columns(kind)))


def _infinities(rows: pa.RecordBatch, columns: _Columns) -> Iterator[Mask]:
    for array in map(rows.column, columns.numbers):
        if not _all_finite(array):
            yield pc.invert(pc.is_finite(array).fill_null(True)).to_numpy(zero_copy_only=False)
    for array in map(rows.column, columns.number_lists):
        if not _all_finite(array.flatten()):
            yield _rows_of_elements(array, pc.invert(pc.is_finite(array.flatten()).fill_null(True)))


def _all_finite(array: pa.Array) -> bool:
    return bool(np.isfinite((array.drop_null() if array.null_count else array).to_numpy()).all())


def _impossible_times(rows: pa.RecordBatch, kind: str, now: datetime) -> Mask | None:
    """Marks event times that BigQuery has no partition for, and other times outside the years 1 to 9999."""
    masks = [_outside(rows.column(KINDS[kind].event_time), now - OLDEST, now + FURTHEST)]
    masks += [_beyond(array, _FIRST, _LAST) for array in map(rows.column, _columns(kind).times)]
    return _union(iter(masks))


_OUT_OF_RANGE = f"a time has no partition in BigQuery: more than {OLDEST.days} days ago or {FURTHEST.days} days ahead"

_CHECKS: tuple[tuple[str, str, _Check], ...] = (
    ("null_value", "a column that may not be null is null", _nulls),
    ("not_finite", "a number is NaN or infinite", _not_finite),
    ("time_out_of_range", _OUT_OF_RANGE, _impossible_times),
)


class _Columns(NamedTuple):
    """Lists the names of a kind's columns by what they hold."""

    required: tuple[str, ...]
    lists: tuple[str, ...]
    numbers: tuple[str, ...]
    number_lists: tuple[str, ...]
    times: tuple[str, ...]


@cache
def _columns(kind: str) -> _Columns:
    columns = wire_columns(KINDS[kind].record)
    return _Columns(
        required=tuple(column.name for column in columns if not column.nullable),
        lists=tuple(column.name for column in columns if column.repeated),
        numbers=tuple(column.name for column in columns if column.type == "float64" and not column.repeated),
        number_lists=tuple(column.name for column in columns if column.type == "float64" and column.repeated),
        times=tuple(column.name for column in columns if column.type == "timestamp" and column.name != KINDS[kind].event_time),
    )


def _union(masks: Iterator[Mask]) -> Mask | None:
    """Marks the rows that any mask marks; None if there is no mask."""
    marked = list(masks)
    return np.logical_or.reduce(marked) if marked else None


def _rows_of_elements(array: pa.ListArray, marked: pa.Array) -> Mask:
    mask = np.zeros(len(array), bool)
    mask[pc.list_parent_indices(array).filter(marked).to_numpy(zero_copy_only=False)] = True
    return mask


def _outside(times: pa.Array, first: datetime, last: datetime) -> Mask:
    return _beyond(times, micros(first), micros(last))


def _beyond(times: pa.Array, first: int, last: int) -> Mask:
    """Marks what is outside [first, last] microseconds; null is inside."""
    values = (times.fill_null(from_micros(first)) if times.null_count else times).view(pa.int64()).to_numpy()
    mask: Mask = (values < first) | (values > last)
    return mask
