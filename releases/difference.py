"""Tells what is worse than a limit allows from what chance can make of it, after so many days of devices. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil


@dataclass(frozen=True, slots=True)
class Difference:
    """Is something of a release beside its control: how much was `seen`, how much is `allowed`, and how much more `chance` makes of
    releases that are alike, after `days` of devices. Chance shrinks with the root of the days.
    """

    text: str
    seen: float
    allowed: float
    chance: float
    days: float

    @property
    def is_fault(self) -> bool:
        """Says whether it is more than chance explains."""
        return self.seen > self.allowed + self.chance

    @property
    def is_doubt(self) -> bool:
        """Says whether it is more than is allowed, and chance may be why."""
        return self.allowed < self.seen <= self.allowed + self.chance

    @property
    def fault(self) -> str:
        return f"{self.text}, {self.allowed + self.chance:.2f} is allowed after {self.days:.0f} days of devices"

    @property
    def doubt(self) -> str:
        """Says from when on chance would not explain it any more."""
        enough = self.days * (self.chance / (self.seen - self.allowed)) ** 2
        return f"{self.text}, {self.allowed:.2f} is allowed; it may be chance until {ceil(enough):,} days of devices were judged"
