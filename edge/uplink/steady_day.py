"""Knows which day it is in UTC by a clock that may jump: a jump counts once it has lasted, a slow correction at once. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta

JUMP = timedelta(minutes=1)
"""A clock that differs by more from what it was and the seconds since then has jumped."""
LASTING_SECONDS = 900.0


class SteadyDay:
    """Is asked with monotonic seconds, a few times an hour: `day.today(now)`, `day.seconds_left(now)`."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._offset: datetime | None = None
        """What the clock showed when the monotonic seconds were nought, or would have shown."""
        self._jumped: tuple[datetime, float] | None = None

    def today(self, now: float) -> date:
        return self._time(now).date()

    def seconds_left(self, now: float) -> float:
        """Says how long the day still lasts."""
        time = self._time(now)
        return (time.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1) - time).total_seconds()

    def _time(self, now: float) -> datetime:
        elapsed = timedelta(seconds=now)
        offset = self._clock() - elapsed
        if self._offset is None or abs(offset - self._offset) <= JUMP or self._has_lasted(offset, now):
            self._offset, self._jumped = offset, None
        return self._offset + elapsed

    def _has_lasted(self, offset: datetime, now: float) -> bool:
        if self._jumped is None or abs(offset - self._jumped[0]) > JUMP:
            self._jumped = offset, now
        return now - self._jumped[1] >= LASTING_SECONDS
