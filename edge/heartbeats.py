"""Knows when a heartbeat is due: every so often, with a batch that goes up anyway if one is near, and soon after something changed.

Guarantees that one is at most a quarter later than its interval and a minute earlier, and that what a person waits for (a link that is
back, a backlog that is gone) is said within a minute, however rare heartbeats are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from edge.settings.gateway import GatewaySettings
from edge.store.ledger import Ledger
from schemas.intervals import IntervalSet
from schemas.records import SCHEMA_VERSION, LinkState, TimeQuality
from schemas.releases import is_before

SOON = timedelta(minutes=1)
"""News waits so long after the last heartbeat, so that a link that comes and goes costs no more than one a minute."""
_BEHIND = timedelta(minutes=2)
"""Who has a batch waiting that was cut so long ago is behind, and is to say when it is not any more."""

_FIRST_WITH_THINNED = "1.3"

States = tuple[LinkState, LinkState, TimeQuality]
"""Uplink, broker, and the gateway's clock."""


class Heartbeats:
    """Is asked at every tick, `heartbeats.is_due(now, ...)`, and notes each that was cut, `heartbeats.note(now, ...)`."""

    def __init__(self, settings: GatewaySettings, batch_seconds: int, ledger: Callable[[], Ledger]) -> None:
        self._interval, self._longest = timedelta(seconds=settings.heartbeat_seconds), timedelta(seconds=settings.longest_heartbeat_seconds)
        self._batch, self._ledger = timedelta(seconds=batch_seconds), ledger
        self._last = datetime.min.replace(tzinfo=UTC)
        self._states: States | None = None
        self._is_behind = False

    def is_due(self, now: datetime, *, states: States, was_cut: bool, last_cut: datetime) -> bool:
        """Says whether one is due. `was_cut`: batches of windows were cut at this tick, the last time before it at `last_cut`."""
        waited, patience = abs(now - self._last), self._longest - self._interval
        if was_cut and waited >= self._interval - min(patience, SOON):
            return True
        if waited >= self._interval:
            is_cut_near = last_cut + self._batch <= now + patience
            return not is_cut_near or waited >= self._longest
        return waited >= SOON and (states != self._states or (self._is_behind and not _is_behind(self._ledger().oldest_pending_time, now)))

    def make_due(self) -> None:
        """Makes one due at once."""
        self._last = datetime.min.replace(tzinfo=UTC)

    def note(self, now: datetime, states: States, oldest_pending_time: datetime | None) -> None:
        """Notes what a heartbeat of that time says: not what is so now, for a backlog may have gone while it was cut."""
        self._last, self._states, self._is_behind = now, states, _is_behind(oldest_pending_time, now)


def counts(ledger: Ledger, counted: Mapping[str, int], schema_version: str = SCHEMA_VERSION) -> dict[str, Any]:
    """Returns the columns of a heartbeat that say what became of readings and batches; `counted` is by column.

    A pipeline that knows no thinned_ranges is told of them as dropped, or it would wait for them for ever.
    """
    declared = ledger.dropped_ranges
    if is_before(schema_version, _FIRST_WITH_THINNED):
        both = IntervalSet(declared)
        both.update(IntervalSet(ledger.thinned_ranges))
        declared = both.flat()
    return {
        "readings_stored": ledger.journaled,
        "readings_repeated": counted["readings_repeated"],
        "readings_rejected": counted["readings_rejected"],
        "readings_summarised": counted["readings_summarised"],
        "readings_dropped": ledger.readings_dropped,
        "readings_over_limit": counted["readings_over_limit"] or None,
        "readings_lost": counted["readings_lost"] or None,
        "devices_forgotten": counted["devices_forgotten"] or None,
        "inferences_failed": counted["inferences_failed"] or None,
        "batches_cut": ledger.cut,
        "batches_confirmed": ledger.confirmed,
        "batches_pending": ledger.pending,
        "batches_dropped": ledger.dropped,
        "dropped_ranges": declared,
        "batches_thinned": ledger.thinned or None,
        "thinned_ranges": ledger.thinned_ranges,
        "oldest_pending_time": ledger.oldest_pending_time,
        "store_bytes": ledger.store_bytes,
        "store_bytes_max": ledger.store_bytes_max,
    }


def _is_behind(oldest_pending_time: datetime | None, now: datetime) -> bool:
    return oldest_pending_time is not None and abs(now - oldest_pending_time) > _BEHIND
