"""Knows how long a model takes to judge windows, for the gateway's heartbeat."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class ScoringTime:
    """Sums up the calls of one model since the last heartbeat. Times are as waited for: in s in, in ms out."""

    windows: int = 0
    seconds: float = 0.0
    longest: float = 0.0

    def note(self, windows: int, seconds: float) -> None:
        """Notes a call that judged so many windows together."""
        self.windows, self.seconds, self.longest = self.windows + windows, self.seconds + seconds, max(self.longest, seconds)

    def clear(self) -> None:
        self.windows, self.seconds, self.longest = 0, 0.0, 0.0

    @property
    def mean_ms(self) -> float:
        """Returns what a window took; to be asked once one was judged."""
        return round(1000 * self.seconds / self.windows, 3)

    @property
    def longest_ms(self) -> float:
        """Returns what the longest call took."""
        return round(1000 * self.longest, 3)
