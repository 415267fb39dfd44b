"""Says in which hour a row starts, and brings rows of the same hour and names together. Vectorised, pure."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.rollup.stats import HOUR, SECOND

Integers = npt.NDArray[np.int64]

_LARGEST = 2**63 - 1


def starts_of(rows: pa.RecordBatch) -> Integers:
    """Returns `window_start` in microseconds since 1970."""
    starts: Integers = rows.column("window_start").view(pa.int64()).to_numpy()
    return starts


class HourGroups(NamedTuple):
    """Orders rows by their groups: where each group starts in that order, and its names and hour (in seconds since 1970)."""

    order: Integers
    starts: list[int]
    keys: list[tuple[Any, ...]]


def by_hour(rows: pa.RecordBatch, names: tuple[str, ...]) -> HourGroups:
    """Groups rows by the columns `names` and the hour in which they start. Within a group they stay in their order."""
    columns = [rows.column(name).dictionary_encode() for name in names]
    hours, hour = np.unique(starts_of(rows) // (HOUR * SECOND) * HOUR, return_inverse=True)
    codes = [*(column.indices.to_numpy() for column in columns), hour]
    groups = combined(codes, [*(len(column.dictionary) for column in columns), len(hours)])
    order = np.argsort(groups, kind="stable")
    starts = np.flatnonzero(np.diff(groups[order], prepend=-1))
    values = [*(column.dictionary.to_pylist() for column in columns), hours.tolist()]
    of_firsts = [[value[code] for code in codes_[order[starts]].tolist()] for value, codes_ in zip(values, codes, strict=True)]
    return HourGroups(order, starts.tolist(), list(zip(*of_firsts, strict=True)))


def combined(codes: list[Integers], sizes: list[int]) -> Integers:
    """Gives one number to each combination of codes, for one sort is cheaper than five. Each code is below its size."""
    numbers, span = np.zeros(len(codes[0]), np.int64), 1
    for code, size in zip(codes, sizes, strict=True):
        if span * size > _LARGEST:
            distinct, numbers = np.unique(numbers, return_inverse=True)
            span = len(distinct)
        numbers, span = numbers * size + code, span * size
    return numbers
