"""States which rows count where several gateways hear a device: the winner by coverage (docs/adr/0020).

Rows of a device that overlap in time form a stretch. Its gateways are ranked by the number of values, then by name. A row of the first
counts; a row of another counts if it shares no sequence number with any ranked higher, which only numbers can show. Pure; the view
`summaries` and `tinybeam sql recompute` state the same law in SQL.
"""

from __future__ import annotations

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
        places, stretches = _shared_stretches(heard)
        if len(places):
            mask[places] = _winners(heard, places, stretches)
    return mask


def _shared_stretches(heard: Partials) -> tuple[Integers, Integers]:
    """Returns the places of the rows in stretches that more than one gateway heard, and the number of the stretch of each."""
    order = np.lexsort((heard.rows["start"], heard.rows["device"]))
    # Each device gets a span of its own, so that the running maximum of the ends never reaches into the next device.
    spans = heard.rows["device"][order].astype(np.int64) * (2 * _LONGEST * SECOND)
    starts, ends = heard.rows["start"][order] + spans, ends_of(heard)[order] + spans
    begins = np.flatnonzero(np.concatenate(([True], starts[1:] >= np.maximum.accumulate(ends)[:-1])))
    gateways = heard.rows["gateway"][order]
    shared = np.minimum.reduceat(gateways, begins) != np.maximum.reduceat(gateways, begins)
    sizes = np.diff(np.append(begins, len(order)))
    return order[np.repeat(shared, sizes)], np.repeat(np.arange(np.count_nonzero(shared)), sizes[shared])


def _winners(heard: Partials, places: Integers, stretches: Integers) -> Mask:
    """Marks the rows at these places that count."""
    ranks, numbered, numbers = _ranks(heard, places, stretches), heard.rows["numbers"][places] > 1, _Numbers.of(heard, places, stretches)
    wins = ranks == 0
    for rank in range(1, int(ranks.max()) + 1):
        higher = ranks < rank
        blind = np.bincount(stretches[higher & ~numbered], minlength=stretches[-1] + 1) > 0
        wins |= (ranks == rank) & numbered & ~blind[stretches] & ~numbers.meet(ranks == rank, higher)
    return wins


def _ranks(heard: Partials, places: Integers, stretches: Integers) -> Integers:
    """Returns the rank of each row's gateway in its stretch, from 0: the most values first, then the first by name."""
    gateways = len(heard.gateways)
    pairs, pair = np.unique(stretches * gateways + heard.rows["gateway"][places], return_inverse=True)
    values = np.zeros(len(pairs), np.int64)
    np.add.at(values, pair, heard.rows["count"][places])
    order = np.lexsort((pairs, -values, pairs // gateways))
    of_stretch = pairs[order] // gateways
    ranks = np.empty(len(pairs), np.int64)
    ranks[order] = np.arange(len(pairs)) - np.searchsorted(of_stretch, of_stretch)
    return ranks[pair]


class _Numbers(NamedTuple):
    """Holds the ranges of sequence numbers of rows: the row of each, and its ends, which grow from stretch to stretch."""

    rows: Integers
    firsts: Integers
    lasts: Integers

    @classmethod
    def of(cls, heard: Partials, places: Integers, stretches: Integers) -> _Numbers:
        ranges = heard.rows["numbers"][places] // 2
        rows = np.repeat(np.arange(len(places)), ranges)
        begins = (np.cumsum(heard.rows["numbers"]) - heard.rows["numbers"])[places]
        at = begins[rows] + 2 * (np.arange(len(rows)) - np.repeat(np.cumsum(ranges) - ranges, ranges))
        # Any 64 bits are a number, so they are replaced by their order before a stretch is put above them.
        known, ends = np.unique(np.concatenate((heard.ranges[at], heard.ranges[at + 1])), return_inverse=True)
        firsts, lasts = ends.reshape(2, -1) + stretches[rows] * (len(known) + 1)
        return cls(rows, firsts, lasts)

    def meet(self, those: Mask, others: Mask) -> Mask:
        """Marks the rows, of those, of which a range overlaps one of the others."""
        mine, other = those[self.rows], others[self.rows]
        order = np.argsort(self.firsts[other])
        firsts, reach = self.firsts[other][order], np.maximum.accumulate(self.lasts[other][order])
        before = np.searchsorted(firsts, self.lasts[mine], side="right")
        meets = np.append(reach, -1)[before - 1] >= self.firsts[mine]
        return np.bincount(self.rows[mine][meets], minlength=len(those)) > 0
