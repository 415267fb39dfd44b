"""Remembers which batches were refused: what was refused with others goes alone, what was refused alone waits by itself. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from random import Random

from program.backoff import Backoff

_OUTAGE = 3
"""So many batches refused, and none confirmed between, are not the fault of each: with a wrong topic every one is refused."""


@dataclass(slots=True)
class _Refusal:
    """Counts how often one batch was refused by itself, and until when it waits by itself; 0 times if it was with others."""

    failures: int
    until: float


class Refusals:
    """Holds the refused batches by key until they are confirmed.

    Usage: `refusals.note(keys, now)` with each refusal; then each goes alone, once it is among `refusals.due(now)`.
    """

    def __init__(self, backoff: Backoff, rng: Random) -> None:
        self._backoff, self._rng = backoff, rng
        self._refused: dict[int, _Refusal] = {}
        self._since_confirmation: set[int] = set()

    def __iter__(self) -> Iterator[int]:
        return iter(self._refused)

    def note(self, keys: Iterable[int], now: float) -> None:
        """Notes that a request with these batches was refused."""
        for key in keys:
            self._refused.setdefault(key, _Refusal(0, now))

    def note_alone(self, key: int, now: float) -> None:
        """Notes that a request with this batch alone was refused."""
        self.note([key], now)
        refusal = self._refused[key]
        refusal.failures += 1
        refusal.until = now + max(self._backoff.initial_interval, self._backoff.delay(refusal.failures, self._rng))
        self._since_confirmation.add(key)

    def is_outage(self) -> bool:
        return len(self._since_confirmation) >= _OUTAGE

    def confirm(self, keys: Iterable[int]) -> None:
        """Notes that these have arrived."""
        for key in keys:
            self.forget(key)
        self._since_confirmation.clear()

    def forget(self, key: int) -> None:
        self._refused.pop(key, None)

    def due(self, now: float) -> set[int]:
        """Returns those that may be tried again."""
        return {key for key, refusal in self._refused.items() if refusal.until <= now}

    def hopeless(self) -> set[int]:
        """Returns those that were refused by themselves."""
        return {key for key, refusal in self._refused.items() if refusal.failures}

    def first_due(self, now: float) -> float:
        """Says when the next of those that wait is tried again; infinity if none waits."""
        return min((refusal.until for refusal in self._refused.values() if refusal.until > now), default=float("inf"))
