"""Decides when a release is tried again for which the machine was too slow, and when it has been tried often enough. Pure.

A release that gives no answer in time is not wrong for that: the machine may have had other work. One that never gives one is.
"""

from __future__ import annotations

from random import Random

import msgspec

from program.backoff import Backoff

MAX_TRIES = 6
_AGAIN = Backoff(initial_interval=1200.0, max_interval=6 * 3600.0)


class Postponed(msgspec.Struct, frozen=True, kw_only=True):
    """Says why a release waits, after how many tries, and until when, in seconds since 1970."""

    reason: str
    tries: int = 1
    until: float

    def is_over(self, now: float) -> bool:
        """Says whether it is time to try. A clock that was set back by more than a wait does not hold a release for years."""
        return not 0 < self.until - now <= _AGAIN.max_interval


def postponed(before: Postponed | None, reason: str, now: float, rng: Random) -> Postponed | None:
    """Returns what holds after another try in vain; None if that was one too many."""
    tries = before.tries + 1 if before else 1
    return Postponed(reason=reason, tries=tries, until=now + _AGAIN.delay(tries, rng)) if tries < MAX_TRIES else None
