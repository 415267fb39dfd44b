"""Chooses which batches go next, and which of them go together in one request. Only the store is asked.

Events take any free place; what was cut lately goes before what waits for longer, but for a share that is left to the latter. What was
refused comes last, so that it starves nobody, and alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from edge.store.store import Lane, OutboxBatch, Store
from edge.uplink.flight import Flight
from edge.uplink.refusals import Refusals


@dataclass(frozen=True, slots=True)
class Request:
    """Holds the batches that go together: of the backlog, or of what goes before it."""

    lane: Lane
    batches: list[OutboxBatch]

    @property
    def keys(self) -> list[int]:
        return [batch.key for batch in self.batches]

    @property
    def bytes(self) -> int:
        return sum(len(batch.body) for batch in self.batches)

    def of(self, batches: list[OutboxBatch]) -> Request:
        """Returns the request with these of its batches."""
        return Request(self.lane, batches)


def chosen(store: Store, flight: Flight, refusals: Refusals, now: float, most_together: int) -> Iterator[Request]:
    """Yields what may be sent now, the most urgent first; a request of several batches has at most so many bytes."""
    free, busy = flight.free, flight.keys | set(refusals)
    if free <= 0:
        return
    urgent = store.pending(free, skip=busy, lanes=[Lane.URGENT])
    free -= len(urgent)
    backlog = store.pending(min(free, flight.free_for_backlog), skip=busy, lanes=[Lane.BACKLOG])
    live = store.pending(free - min(flight.owed_to_backlog, len(backlog)), skip=busy, lanes=[Lane.LIVE])
    free -= len(live)
    yield from _together(Lane.LIVE, [*urgent, *live], most_together)
    yield from _together(Lane.BACKLOG, backlog[:free], most_together)
    yield from islice(_again(store, flight, refusals, now), max(free - len(backlog), 0))


def _again(store: Store, flight: Flight, refusals: Refusals, now: float) -> Iterator[Request]:
    """Yields the refused batches that are due, each alone. One that the store has dropped is forgotten."""
    for key in refusals.due(now) - flight.keys:
        found = store.handed_out([key])
        if found:
            yield Request(Lane.LIVE, found)
        else:
            refusals.forget(key)


def _together(lane: Lane, batches: Sequence[OutboxBatch], most: int) -> Iterator[Request]:
    together, size = list[OutboxBatch](), 0
    for batch in batches:
        if together and size + len(batch.body) > most:
            yield Request(lane, together)
            together, size = [], 0
        together.append(batch)
        size += len(batch.body)
    if together:
        yield Request(lane, together)
