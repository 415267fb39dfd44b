"""Bounds how many requests one credential may make: a bucket for each, filled by the minute. Time is passed in."""

from __future__ import annotations

import math
import threading

from edge.intake.http.refusal import Refused

_MOST_KNOWN = 10_000


class Pace:
    """Is asked by each request, from any thread: `pace.take(name, now)`."""

    def __init__(self, per_minute: int) -> None:
        self._rate, self._most = per_minute / 60, max(1.0, per_minute / 10)
        self._lock = threading.Lock()
        self._left: dict[str, tuple[float, float]] = {}
        """By credential: requests that are left, and when that was so."""

    def take(self, name: str, now: float) -> None:
        """Raises Refused with 429 if it was too much. `now` is in monotonic seconds."""
        with self._lock:
            left, at = self._left.get(name, (self._most, now))
            left = min(left + (now - at) * self._rate, self._most)
            if left < 1:
                wait = math.ceil((1 - left) / self._rate)
                raise Refused(429, "too many requests of one device: put several readings into one, or wait", retry_seconds=wait)
            if len(self._left) >= _MOST_KNOWN:
                self._left.clear()
            self._left[name] = left - 1, now
