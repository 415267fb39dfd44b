"""Counts the batches that are under way: which, since when, of how many bytes, and how many more there may be. No I/O."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from edge.store.store import Lane

MAX_IN_FLIGHT = 32
_SHARE = 4
"""One place in four is the backlog's, however much is live; and one in four is never its, so that what is live finds a place at once."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """Notes a batch under way: when it was sent, its size, the lane it came from, and its name."""

    sent: float
    size: int
    lane: Lane
    batch_id: str


class Flight:
    """Holds the attempts without an answer, by key. There is a place for one while the uplink is down, and for twice as many with each
    confirmation.

    Usage: `flight.add(key, attempt)`, `flight.land(keys)` with their answer.
    """

    def __init__(self) -> None:
        self._attempts: dict[int, Attempt] = {}
        self._places = 1

    def __bool__(self) -> bool:
        return bool(self._attempts)

    @property
    def keys(self) -> set[int]:
        return set(self._attempts)

    @property
    def bytes(self) -> int:
        return sum(attempt.size for attempt in self._attempts.values())

    @property
    def free(self) -> int:
        """Says how many batches may be sent now."""
        return self._places - len(self._attempts)

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
        self._places = min(2 * self._places, MAX_IN_FLIGHT)

    def narrow(self) -> None:
        self._places = 1

    def first_due(self, seconds: float) -> float:
        """Says when the first of them has had no answer for so long; infinity if none is under way."""
        return min((attempt.sent + seconds for attempt in self._attempts.values()), default=float("inf"))

    def _of_backlog(self) -> int:
        return sum(attempt.lane == Lane.BACKLOG for attempt in self._attempts.values())
