"""Says in which order batches go up: events at once, then what was cut lately, then what waits for longer.

The order stands in one index of the outbox, by priority and key. A lane is a few ranges of it, so choosing costs in front of a million
batches what it costs in front of ten. No clock is asked: keys rise with each cut, whatever the time was said to be.
"""

from __future__ import annotations

from enum import StrEnum

from edge.store.database import Database
from schemas.records import KINDS, Kind

LIVE_BATCHES = 64
"""So many batches, the newest that were cut, are live: what a gateway cuts in the last hours, or in its last seconds if it cuts a lot."""
_URGENT = KINDS[Kind.EVENTS].priority
_PART = """
select * from (
  select priority, seq from outbox indexed by outbox_order where priority = {} and seq > ?1 and seq <= ?2 order by seq limit ?3
)"""
_OTHERS = " union all ".join(_PART.format(priority) for priority in reversed(range(_URGENT)))
_ALL_URGENT = "select seq from outbox indexed by outbox_order where priority >= ? and seq <= ? order by priority desc, seq limit ?"


class Lane(StrEnum):
    """Says what a batch waits for: nothing, those of higher priority that were cut lately, or all that are older than it."""

    URGENT = "urgent"
    LIVE = "live"
    BACKLOG = "backlog"


def next_keys(database: Database, lane: Lane, last_key: int, limit: int) -> list[int]:
    """Returns the keys of the batches of this lane that go first. `last_key` is the highest key given out."""
    if lane == Lane.URGENT:
        return [key for (key,) in database.read(_ALL_URGENT, _URGENT, last_key, limit)]
    oldest_live = max(last_key - LIVE_BATCHES, 0)
    if lane == Lane.LIVE:
        live = database.read(_OTHERS, oldest_live, last_key, limit)
        return [key for _, key in sorted(live, key=lambda row: (-row[0], row[1]))[:limit]]
    return sorted(key for _, key in database.read(_OTHERS, 0, oldest_live, limit))[:limit]
