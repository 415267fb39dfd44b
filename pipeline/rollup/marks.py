"""Marks the hours of sites that got facts, and keeps what is too late for its hour out of the rollup. Pure.

A run marks an hour of a site when it first gets facts of it, and again when more come MARK_AGAIN after the last mark. `tinybeam sql
recompute` looks at marks from a day before its last run, so it sees every hour that got facts since, whatever run wrote them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from pipeline.elements import RowGroup
from pipeline.rollup.hours import by_hour, starts_of
from pipeline.rollup.stats import HOUR, SECOND
from schemas.envelope import from_micros, micros

MARK_AGAIN = timedelta(hours=12)


class SiteHour(NamedTuple):
    """Is an hour of a site that got facts. `hour` is its start in seconds since 1970."""

    site_id: str
    hour: int


def site_hours(row_group: RowGroup) -> Iterator[tuple[SiteHour, str]]:
    """Yields each hour of a site of which there are rows, and a batch that brought some."""
    if row_group.rows.num_rows:
        groups = by_hour(row_group.rows, ("site_id",))
        batches = row_group.rows.column("batch_id").take(pa.array(groups.order[groups.starts])).to_pylist()
        yield from ((SiteHour(*key), batch_id) for key, batch_id in zip(groups.keys, batches, strict=True))


def is_due(marked: dict[int, int], hour: int, now: datetime) -> bool:
    """Says whether to mark an hour now, given when the hours of a site were marked last; keeps of them what must be known later."""
    before = int((now - MARK_AGAIN).timestamp())
    for old in [old for old, time in marked.items() if time <= before]:
        del marked[old]
    due = hour not in marked
    if due:
        marked[hour] = int(now.timestamp())
    return due


def mark(site_hour: SiteHour, batch_id: str, now: datetime) -> dict[str, Any]:
    """Returns one row of dirty_windows_v1."""
    return {
        "site_id": site_hour.site_id,
        "window_start": from_micros(site_hour.hour * SECOND),
        "window_seconds": HOUR,
        "marked_time": now,
        "batch_id": batch_id,
    }


def in_time(row_group: RowGroup, lateness: timedelta, now: datetime) -> RowGroup:
    """Returns the rows that are not too late for their hour.

    Too late is more than `lateness` after the end of the hour, by `received_time`, or by `now` if the message waited before it was read.
    """
    rows = row_group.rows
    read = np.maximum(rows.column("received_time").view(pa.int64()).to_numpy(), micros(now))
    ends = (starts_of(rows) // (HOUR * SECOND) + 1) * HOUR * SECOND
    late = ends < read - lateness // timedelta(microseconds=1)
    return row_group.with_rows(rows.filter(pa.array(~late))) if late.any() else row_group
