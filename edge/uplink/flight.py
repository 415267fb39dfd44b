"""Counts the batches that are under way: which, since when, of how many bytes, and how many more there may be. No I/O."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

MAX_IN_FLIGHT, MAX_IN_FLIGHT_BYTES = 200, 16_000_000
_FIRST_BYTES = 1_000_000
_SHARE = 4
"""One place in four is the backlog's, however much is live; and one in four is never its, so that what is live finds a place at once."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """Notes a batch under way: when it was sent, its size, the lane it came from, and its name."""

    sent: float
    size: int
    is_backlog: bool
    batch_id: str


class Flight:
    """Holds the attempts without an answer, by key. There is a place for one batch while the uplink is down, for all of them once one is
    confirmed, and for twice as many bytes with each confirmation.

    Usage: `flight.add(key, attempt)`, `flight.land(keys)` with their answer.
    """

    def __init__(self) -> None:
        self._attempts: dict[int, Attempt] = {}
        self._places, self._most_bytes = 1, _FIRST_BYTES

    def __bool__(self) -> bool:
        return bool(self._attempts)

    @property
    def keys(self) -> set[int]:
        return set(self._attempts)

    @property
    def bytes(self) -> int:
        return sum(attempt.size for attempt in self._attempts.values())

    @property
    def is_narrow(self) -> bool:
        """Says whether there is a place for one batch alone."""
        return self._places == 1

    @property
    def free(self) -> int:
        """Says how many batches may be sent now."""
        return self._places - len(self._attempts)

    @property
    def free_bytes(self) -> int:
        """Says how many bytes may be sent now: beside nothing a batch of any size."""
        return self._most_bytes - self.bytes

    @property
    def owed_to_backlog(self) -> int:
        """Says how many of the free places what is live must leave."""
        return max(self._places // _SHARE - self._of_backlog(), 0)

    @property
    def free_for_backlog(self) -> int:
        return max(self._places - self._places // _SHARE - self._of_backlog(), 0)

    def add(self, key: int, attempt: Attempt) -> None:
        self._attempts[key] = attempt

    def land(self, keys: Iterable[int]) -> list[Attempt]:
        """Takes the attempts of these keys out that are still under way."""
        return [attempt for key in keys if (attempt := self._attempts.pop(key, None))]

    def late(self, now: float, seconds: float) -> list[Attempt]:
        """Takes those out that have had no answer for so long."""
        return self.land([key for key, attempt in self._attempts.items() if now - attempt.sent >= seconds])

    def widen(self) -> None:
        if self._places > 1:
            self._most_bytes = min(2 * self._most_bytes, MAX_IN_FLIGHT_BYTES)
        self._places = MAX_IN_FLIGHT

    def narrow(self) -> None:
        self._places, self._most_bytes = 1, _FIRST_BYTES

    def first_due(self, seconds: float) -> float:
        """Says when the first of them has had no answer for so long; infinity if none is under way."""
        return min((attempt.sent + seconds for attempt in self._attempts.values()), default=float("inf"))

    def _of_backlog(self) -> int:
        return sum(attempt.is_backlog for attempt in self._attempts.values())
