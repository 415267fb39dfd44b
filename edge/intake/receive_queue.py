"""Keeps incoming messages between the threads that receive them and the core's: in order, bounded, taken in bulk.

A thread is woken when there is a first message or enough of them, not for each. Messages wait for one another as long as they keep coming:
a flow that stands still may wait for acknowledgements itself, as a broker sends no more than it may have under way.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

from edge.intake.stream import Incoming

_MAX_MESSAGES = 4000
_MAX_BYTES = 1 << 20
_PAUSE_GAPS = 4
"""A flow stands still when nothing came in the time of so many messages: by chance, one pause in fifty is as long."""
_LEAST_PAUSE_SECONDS, _FIRST_GAP_SECONDS = 0.002, 0.25


class ReceiveQueue:
    """`put` and `offer` are called by any thread, `take` by one other."""

    def __init__(self, max_taken: int) -> None:
        """`take` returns as soon as `max_taken` messages wait, and never more of them."""
        self._max_taken = max_taken
        self._changed = threading.Condition()
        self._waiting: list[Incoming] = []
        self._bytes = 0
        self._closed = False
        self._gap_seconds, self._taken_at = _FIRST_GAP_SECONDS, time.monotonic()

    def put(self, incoming: Sequence[Incoming]) -> None:
        """Waits while it is full; after `close` it neither waits nor keeps anything."""
        self.offer(incoming, None)

    def offer(self, incoming: Sequence[Incoming], seconds: float | None) -> bool:
        """Waits so long at most while it is full; says whether the messages are in it."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or not self._full(), seconds)
            if self._closed or self._full():
                return False
            first = not self._waiting
            self._waiting += incoming
            self._bytes += _size(incoming)
            if first or self._is_enough():
                # Not one of them: that might be another that waits for room.
                self._changed.notify_all()
            return True

    def take(self, seconds: float, gather_seconds: float) -> list[Incoming]:
        """Waits so long for a first message, then gathers for so long at most, or until there are enough or no more come."""
        with self._changed:
            if self._changed.wait_for(lambda: self._waiting, seconds):
                self._gather(gather_seconds)
                self._note_pace()
            incoming, self._waiting = self._waiting[: self._max_taken], self._waiting[self._max_taken :]
            self._bytes -= _size(incoming)
            self._changed.notify_all()
            return incoming

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _gather(self, seconds: float) -> None:
        until, pause = time.monotonic() + seconds, max(_LEAST_PAUSE_SECONDS, _PAUSE_GAPS * self._gap_seconds)
        before = 0
        while before < len(self._waiting) and (left := until - time.monotonic()) > 0 and not self._is_enough():
            before = len(self._waiting)
            self._changed.wait_for(self._is_enough, min(left, pause))

    def _note_pace(self) -> None:
        """Notes the mean time between messages; half of it is what it was before."""
        now = time.monotonic()
        self._gap_seconds = (self._gap_seconds + (now - self._taken_at) / len(self._waiting)) / 2
        self._taken_at = now

    def _is_enough(self) -> bool:
        return len(self._waiting) >= self._max_taken or self._full()

    def _full(self) -> bool:
        return len(self._waiting) >= _MAX_MESSAGES or self._bytes >= _MAX_BYTES


def _size(incoming: Sequence[Incoming]) -> int:
    return sum(len(each.message.payload) for each in incoming)
