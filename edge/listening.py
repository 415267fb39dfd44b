"""Knows since when the gateway hears its broker without interruption, so that nobody is missed whom it could not hear."""

from __future__ import annotations

from datetime import datetime, timedelta

from schemas.records import LinkState

SHORT = timedelta(seconds=30)
"""A connection that is lost for less long is no interruption: the broker keeps what the sensors say meanwhile."""


class Listening:
    """Is noted at every tick: `listening.note(now, broker)`; `listening.since` is None while the broker is offline."""

    def __init__(self, longest_pause: timedelta) -> None:
        """A pause between two notes that is longer, or a clock that jumps by more, is an interruption."""
        self._longest_pause = max(longest_pause, SHORT)
        self._noted: datetime | None = None
        self._heard: datetime | None = None
        self.since: datetime | None = None

    def note(self, now: datetime, broker: LinkState) -> None:
        if self._noted is None or abs(now - self._noted) > self._longest_pause:
            self.since = self._heard = None
        self._noted = now
        if broker == LinkState.ONLINE:
            self.since, self._heard = self.since or now, now
        elif self._heard is None or abs(now - self._heard) >= SHORT:
            self.since = None
