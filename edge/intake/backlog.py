"""Judges whether messages come fresh from their sensors, or may have waited in the broker. Pure; time is passed in.

A broker that kept a session hands over what waits as fast as it can, once the gateway is there again: until the first pause, messages
are taken for such ones. A flow that never pauses is believed again after a while.
"""

from __future__ import annotations

_FIRST_SECONDS, _PAUSE_SECONDS, _LONGEST_SECONDS = 2.0, 0.25, 120.0


class Backlog:
    """Usage: `backlog.begin(now)` with each kept session, `backlog.may_hold(now)` when messages came. Seconds of a monotonic clock."""

    def __init__(self) -> None:
        self._until = self._longest = float("-inf")

    def begin(self, now: float) -> None:
        self._until, self._longest = now + _FIRST_SECONDS, now + _LONGEST_SECONDS

    def may_hold(self, now: float) -> bool:
        """Says whether messages that came now may have waited."""
        if now > min(self._until, self._longest):
            return False
        self._until = max(self._until, now + _PAUSE_SECONDS)
        return True
