"""Chooses which batches go next, and which of them go together in one request. Only the store is asked.

Events take any free place; what was cut lately goes before what waits for longer, but for a share that is left to the latter, which goes
along with it. What was refused comes last, so that it starves nobody, and alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from edge.store.store import Lane, OutboxBatch, Store
from edge.uplink.flight import Flight
from edge.uplink.refusals import Refusals

MAX_ALONE = 32
"""So many of those that were refused with others are tried at once."""


@dataclass(frozen=True, slots=True)
class Request:
    """Holds the batches that go together, and the keys of those that are of the backlog."""

    batches: list[OutboxBatch]
    backlog: frozenset[int] = frozenset()

    @property
    def keys(self) -> list[int]:
        return [batch.key for batch in self.batches]

    @property
    def bytes(self) -> int:
        return sum(len(batch.body) for batch in self.batches)

    def of(self, batches: list[OutboxBatch]) -> Request:
        """Returns the request with these of its batches."""
        return replace(self, batches=batches)


def chosen(  # noqa: PLR0913 - what is asked, each by name
    store: Store, flight: Flight, refusals: Refusals, now: float, lanes: Collection[Lane], most_together: int
) -> Iterator[Request]:
    """Yields what may be sent now, the most urgent first; a request of several batches has at most so many bytes.

    While the uplink is down that is one batch of any lane. Later it is of these lanes, and of the backlog what has room beside the live.
    """
    free, busy = flight.free, flight.keys | set(refusals)
    if free <= 0:
        return
    if flight.is_narrow:
        first = store.pending(1, skip=busy)
        yield from [Request(first)] if first else _again(store, flight, refusals, now, free)
        return
    most_bytes = max(flight.free_bytes, 1)
    urgent = store.pending(free, skip=busy, lanes=[Lane.URGENT], most_bytes=most_bytes)
    free -= len(urgent)
    live = store.pending(free - flight.owed_to_backlog, skip=busy, lanes=[Lane.LIVE], most_bytes=most_bytes) if Lane.LIVE in lanes else []
    free -= len(live)
    backlog = list[OutboxBatch]()
    if live or Lane.BACKLOG in lanes:
        most = min(free, flight.free_for_backlog)
        backlog = store.pending(most, skip=busy, lanes=[Lane.BACKLOG], most_bytes=most_together)
    yield from _together([*urgent, *live], backlog, most_together)
    yield from _again(store, flight, refusals, now, free - len(backlog))


def _again(store: Store, flight: Flight, refusals: Refusals, now: float, free: int) -> Iterator[Request]:
    """Yields the refused batches that are due, each alone. One that the store has dropped is forgotten."""
    requests = _due(store, flight, refusals, now)
    yield from islice(requests, max(min(free, MAX_ALONE - len(flight.keys & set(refusals))), 0))


def _due(store: Store, flight: Flight, refusals: Refusals, now: float) -> Iterator[Request]:
    for key in refusals.due(now) - flight.keys:
        found = store.handed_out([key])
        if found:
            yield Request(found)
        else:
            refusals.forget(key)


def _together(news: Sequence[OutboxBatch], backlog: Sequence[OutboxBatch], most: int) -> Iterator[Request]:
    """Yields requests with the news, and the backlog in what room the last of them leaves; without news, in one of its own."""
    keys = frozenset(batch.key for batch in backlog)
    together, size = list[OutboxBatch](), 0
    for batch in [*news, *backlog]:
        if together and size + len(batch.body) > most:
            yield Request(together, keys)
            together, size = [], 0
            if batch.key in keys and news:
                return
        together.append(batch)
        size += len(batch.body)
    if together:
        yield Request(together, keys)
