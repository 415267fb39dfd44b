"""Knows which messages are out: pulled, and not acknowledged yet. Their leases are extended, and how many there may be is bounded.

Pure: time is passed in, in seconds of any clock that never goes back. Safe from any thread.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bounds:
    """Says how much may be out, and for how long."""

    messages: int = 20_000
    bytes: int = 128_000_000
    lease_seconds: int = 30
    """For how long Pub/Sub gives a message to nobody else; extended when a third of it is over. So long waits what a killed process had."""
    longest_seconds: float = 3600.0
    """A message that is out for longer is given up, for nothing will come of it; Pub/Sub delivers it again."""


@dataclass(slots=True)
class _Lease:
    bytes: int
    since: float
    extended: float


class Leases:
    """Keeps account of what is out: `leases.add({id: bytes}, now)`, `leases.end(ids)`."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._lock = threading.Lock()
        self._leases: dict[str, _Lease] = {}
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._leases)

    def room(self) -> int:
        """Returns how many messages more may be out."""
        return self._bounds.messages - len(self._leases) if self._bytes < self._bounds.bytes else 0

    def add(self, sizes: dict[str, int], now: float) -> None:
        """Takes account of messages that are out from now on, their leases as long as ours."""
        with self._lock:
            self._leases.update((ack_id, _Lease(size, now, now)) for ack_id, size in sizes.items())
            self._bytes += sum(sizes.values())

    def end(self, ack_ids: Iterable[str]) -> None:
        """Forgets messages; those that are not known count for nothing."""
        with self._lock:
            ended = [self._leases.pop(ack_id, None) for ack_id in ack_ids]
            self._bytes -= sum(lease.bytes for lease in ended if lease)

    def due(self, now: float) -> list[str]:
        """Returns those whose leases are to be extended now, and counts them as extended."""
        with self._lock:
            due = [(ack_id, lease) for ack_id, lease in self._leases.items() if now - lease.extended >= self._bounds.lease_seconds / 3]
            for _, lease in due:
                lease.extended = now
            return [ack_id for ack_id, _ in due]

    def give_up(self, now: float) -> list[str]:
        """Forgets and returns those that are out for too long."""
        with self._lock:
            late = [ack_id for ack_id, lease in self._leases.items() if now - lease.since > self._bounds.longest_seconds]
        self.end(late)
        return late

    def all(self) -> list[str]:
        with self._lock:
            return list(self._leases)
