"""A range of time that a page shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

MOST_POINTS = 500


@dataclass(frozen=True, slots=True)
class Span:
    """From `begin` (inclusive) to `end` (exclusive), UTC."""

    begin: datetime
    end: datetime

    @property
    def step(self) -> timedelta:
        """Returns the width of a point, so that a line has at most MOST_POINTS: at least a minute, in whole minutes."""
        minutes = (self.end - self.begin) / timedelta(minutes=1)
        return timedelta(minutes=max(1, -(-minutes // MOST_POINTS)))

    @property
    def step_seconds(self) -> int:
        return round(self.step.total_seconds())
