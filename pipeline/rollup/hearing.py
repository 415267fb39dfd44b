"""States which rows count where several gateways hear a device: the winner by coverage (docs/adr/0020).

Rows of a device that overlap in time form a stretch. Its gateways are ranked by the number of values, then by name. A row of the first
counts; a row of another counts if it shares no sequence number with any ranked higher, which only numbers can show. Pure; the view
`summaries` and `tinybeam sql recompute` state the same law in SQL.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator
from itertools import accumulate, chain
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pipeline.rollup.hours import Integers
from pipeline.rollup.partials import Partials
from pipeline.rollup.stats import HOUR, SECOND

Mask = npt.NDArray[np.bool_]

_LONGEST = 2 * HOUR
"""A longer row reaches the end of its hour all the same, and its end stays a number."""


def ends_of(heard: Partials) -> Integers:
    """Returns where rows end, in microseconds since 1970; those that go far beyond their hour end somewhere after it."""
    ends: Integers = heard.rows["start"] + np.minimum(heard.rows["seconds"], _LONGEST) * SECOND
    return ends


def counted(heard: Partials) -> Mask:
    """Marks the rows that count, of the rows of one site, channel, unit and hour."""
    mask = np.ones(len(heard.rows), bool)
    if len(heard.gateways) > 1:
        rows = _listed(heard)
        for stretch in _shared_stretches(heard):
            mask[stretch] = list(_winners([rows[place] for place in stretch]))
    return mask


class _Row(NamedTuple):
    gateway: int
    values: int
    ranges: list[tuple[int, int]]


def _winners(rows: list[_Row]) -> Iterator[bool]:
    """Yields whether each row of a stretch counts."""
    totals: dict[int, int] = defaultdict(int)
    for row in rows:
        totals[row.gateway] += row.values
    ranked = sorted(totals, key=lambda gateway: (-totals[gateway], gateway))
    higher: dict[int, _Numbers | None] = {}
    numbers: _Numbers | None = _Numbers([])
    for gateway in ranked:
        higher[gateway] = numbers
        numbers = numbers and numbers.with_those_of([row.ranges for row in rows if row.gateway == gateway])
    return (row.gateway == ranked[0] or _is_new(row.ranges, higher[row.gateway]) for row in rows)


def _is_new(ranges: list[tuple[int, int]], higher: _Numbers | None) -> bool:
    """Says whether numbers show that a row was heard by no gateway that is ranked higher."""
    return bool(ranges) and higher is not None and not any(higher.meets(first, last) for first, last in ranges)


class _Numbers:
    """Holds intervals of sequence numbers, whatever their order and overlap."""

    def __init__(self, intervals: list[tuple[int, int]]) -> None:
        self._intervals = sorted(intervals)
        self._firsts = [first for first, _ in self._intervals]
        self._reach = list(accumulate((last for _, last in self._intervals), max))

    def with_those_of(self, rows: list[list[tuple[int, int]]]) -> _Numbers | None:
        """Adds those of rows; None if a row has none, for then nobody knows which readings it is of."""
        return _Numbers([*self._intervals, *chain.from_iterable(rows)]) if all(rows) else None

    def meets(self, first: int, last: int) -> bool:
        before = bisect_right(self._firsts, last)
        return before > 0 and self._reach[before - 1] >= first


def _listed(heard: Partials) -> list[_Row]:
    flat, ends = heard.ranges.tolist(), np.cumsum(heard.rows["numbers"]).tolist()
    columns = heard.rows["gateway"].tolist(), heard.rows["count"].tolist(), [0, *ends[:-1]], ends
    return [
        _Row(gateway, values, list(zip(flat[begin:end:2], flat[begin + 1 : end : 2], strict=False)))
        for gateway, values, begin, end in zip(*columns, strict=True)
    ]


def _shared_stretches(heard: Partials) -> Iterator[npt.NDArray[np.intp]]:
    """Yields the places of the rows of each stretch that more than one gateway heard."""
    order = np.lexsort((heard.rows["start"], heard.rows["device"]))
    # Each device gets a span of its own, so that the running maximum of the ends never reaches into the next device.
    spans = heard.rows["device"][order].astype(np.int64) * (2 * _LONGEST * SECOND)
    starts, ends = heard.rows["start"][order] + spans, ends_of(heard)[order] + spans
    begins = np.flatnonzero(np.concatenate(([True], starts[1:] >= np.maximum.accumulate(ends)[:-1])))
    gateways = heard.rows["gateway"][order]
    shared = np.minimum.reduceat(gateways, begins) != np.maximum.reduceat(gateways, begins)
    for first, end in zip(begins[shared].tolist(), np.append(begins[1:], len(order))[shared].tolist(), strict=True):
        yield order[first:end]
