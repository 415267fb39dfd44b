"""Says how summaries are thinned, when there is no room for all: those of one channel whose windows lie in one interval become one. Pure.

Counts, sums, extremes, numbers and sketch stay exact; only what lay at which minute is no longer known, and `fidelity` says so.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from edge.summaries.summarise import MAX_POINTS, MAX_SEQ_RANGES, merged, read
from schemas.envelope import micros
from schemas.records import Summary

STEPS = (900, 3600)
"""Seconds: the intervals to which windows are merged, one after the other. Each divides an hour, for rollups are by the hour."""


def thinned(rows: Sequence[Mapping[str, Any]], seconds: int) -> list[Summary]:
    """Returns the summaries of these rows, merged where windows of a channel lie within one interval of so many seconds.

    A window that lies in two intervals stays as it is; late ones are merged among themselves.
    """
    groups, alone = defaultdict[tuple[Any, ...], list[Summary]](list), list[Summary]()
    for summary in map(read, rows):
        interval = _interval(summary, seconds)
        (alone if interval is None else groups[_alike(summary, interval)]).append(summary)
    return sorted([*alone, *(row for group in groups.values() for row in _merged(group, seconds))], key=_order)


def _alike(summary: Summary, interval: int) -> tuple[Any, ...]:
    """Returns what summaries have in common that may become one."""
    kind = summary.channel_kind, summary.states, summary.wraps_at
    return summary.device_id, summary.channel, summary.unit, kind, summary.late, interval


def _interval(summary: Summary, seconds: int) -> int | None:
    """Returns the number of the interval that its window lies in."""
    start = micros(summary.window_start)
    first, last = (at // (seconds * 1_000_000) for at in (start, start + summary.window_seconds * 1_000_000 - 1))
    return first if first == last else None


def _merged(group: Sequence[Summary], seconds: int) -> Iterator[Summary]:
    """Yields one summary of all; several where one row could not hold the gaps in the sensor's numbers, or the points."""
    before: Summary | None = None
    for summary in sorted(group, key=_order):
        if before is None:
            before = summary
        elif not _fit(before, summary):
            yield before
            before = summary
        else:
            before = replace(merged(before, summary), fidelity=seconds)
    if before:
        yield before


def _fit(before: Summary, summary: Summary) -> bool:
    """Says whether one row can hold the numbers and the points of both."""
    ranges, points = len(before.seq_ranges) + len(summary.seq_ranges), len(before.point_values) + len(summary.point_values)
    return ranges <= 2 * MAX_SEQ_RANGES and points <= MAX_POINTS


def _order(summary: Summary) -> tuple[Any, ...]:
    return summary.window_start, summary.device_id, summary.channel, summary.window_seconds, summary.last_time, summary.count, summary.sum
