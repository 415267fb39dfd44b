"""Says when the next notice of a rule and site may go to a receiver, so that a storm is few notices. Pure.

The first goes at once. After each notice of the last hour what comes is gathered, for twice as long as after the one before, and no more
than so many notices go in any hour: what is over that goes with the first that may go again. Nothing is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

HOUR = timedelta(hours=1)
_MOST_DOUBLINGS = 12


@dataclass(frozen=True, slots=True)
class Pace:
    """Bounds the notices of one rule and site: `Pace(timedelta(seconds=30), 6).next_time(sent, now)`."""

    gather: timedelta
    most_in_an_hour: int

    def next_time(self, sent: Sequence[datetime], now: datetime) -> datetime:
        """Returns when the next may go, by the times of those that were sent, in their order. A time ahead of `now` is of a wrong clock."""
        lately = [time for time in sent if now - HOUR < time <= now]
        if not lately:
            return now
        gathered = min(self.gather * (1 << min(len(lately) - 1, _MOST_DOUBLINGS)), HOUR)
        room = lately[-self.most_in_an_hour] + HOUR if len(lately) >= self.most_in_an_hour else now
        return max(now, lately[-1] + gathered, room)
