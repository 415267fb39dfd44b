"""Where deliveries wait between the broker's thread and the core's: in order, bounded, taken in bulk.

A thread is woken when there is a first delivery or enough of them, not for each.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

from edge.intake.stream import Incoming

_MOST_WAITING = 4000
_MOST_BYTES = 1 << 20


class ReceiveQueue:
    """`put` is called by one thread, `take` by another."""

    def __init__(self, enough: int) -> None:
        """`enough` deliveries end the waiting of `take`, and are the most that it returns."""
        self._enough = enough
        self._changed = threading.Condition()
        self._waiting: list[Incoming] = []
        self._bytes = 0
        self._closed = False

    def put(self, deliveries: Sequence[Incoming]) -> None:
        """Waits while it is full; after `close` it neither waits nor keeps anything."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or not self._full())
            if self._closed:
                return
            first = not self._waiting
            self._waiting += deliveries
            self._bytes += _size(deliveries)
            if first or self._is_enough():
                self._changed.notify()

    def take(self, seconds: float, gather_seconds: float) -> list[Incoming]:
        """Waits so long for a first delivery, then gathers for so long at most, or until there are enough."""
        with self._changed:
            if self._changed.wait_for(lambda: self._waiting, seconds):
                self._changed.wait_for(self._is_enough, gather_seconds)
            taken, self._waiting = self._waiting[: self._enough], self._waiting[self._enough :]
            self._bytes -= _size(taken)
            self._changed.notify()
            return taken

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _is_enough(self) -> bool:
        return len(self._waiting) >= self._enough or self._full()

    def _full(self) -> bool:
        return len(self._waiting) >= _MOST_WAITING or self._bytes >= _MOST_BYTES


def _size(deliveries: Sequence[Incoming]) -> int:
    return sum(len(one.message.payload) for one in deliveries)
