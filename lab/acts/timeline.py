"""Keeps simulated time: which hour of the season is which time of the calendar.

The season is moved so that it ends just before now, by whole days, so that noon stays noon.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from lab.world import field

HOURS_A_DAY = 24


@dataclass(frozen=True, slots=True)
class Timeline:
    """`begin` is the first midnight of the season; `hours` of it, from FIRST_DAY on, are history."""

    begin: datetime
    hours: int

    def time(self, hour: int) -> datetime:
        """Returns the middle of the hour, when the probe measures."""
        return self.begin + timedelta(days=field.FIRST_DAY, hours=hour + 0.5)

    def day(self, hour: int) -> float:
        """Returns the day of the season at the end of the hour."""
        return field.FIRST_DAY + (hour + 1) / HOURS_A_DAY

    def days(self) -> Iterator[range]:
        """Yields the hours of each day."""
        return (range(first, min(first + HOURS_A_DAY, self.hours)) for first in range(0, self.hours, HOURS_A_DAY))

    def end(self, hours: range) -> datetime:
        """Returns the end of the last of these hours."""
        return self.time(hours[-1]) + timedelta(hours=0.5)

    @classmethod
    def until(cls, now: datetime, days: int) -> Timeline:
        """Spans so many days and what has passed of today, in full hours."""
        end = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        begin = end.replace(hour=0) - timedelta(days=days + field.FIRST_DAY)
        return cls(begin, (end - begin) // timedelta(hours=1) - HOURS_A_DAY)
