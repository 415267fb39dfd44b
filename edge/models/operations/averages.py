"""Defines averages over time. They fade with elapsed time, never with the number of windows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from edge.models.operations.operation import Elapsed, positive


@dataclass(frozen=True, slots=True)
class Ewma:
    """Gives the exponentially weighted mean with the time constant `hours`."""

    hours: float = 0.0
    operands: ClassVar[int] = 1
    remembers: ClassVar[bool] = True

    def __post_init__(self) -> None:
        positive("hours", self.hours)

    def value(self, operands: Sequence[float], before: float | None, time: Elapsed) -> float:
        return faded(operands[0], before, math.exp(-time.hours / self.hours))


@dataclass(frozen=True, slots=True)
class Usual:
    """Gives what is usual: a plain mean until there is more history than `hours`, then an exponentially weighted one."""

    hours: float = 0.0
    operands: ClassVar[int] = 1
    remembers: ClassVar[bool] = True

    def __post_init__(self) -> None:
        positive("hours", self.hours)

    def value(self, operands: Sequence[float], before: float | None, time: Elapsed) -> float:
        share = max(1 - time.hours / time.age_hours, 0.0)
        return faded(operands[0], before, min(math.exp(-time.hours / self.hours), share))


def faded(now: float, before: float | None, keep: float) -> float:
    """Moves the value before, of which the share `keep` is kept, towards the present one."""
    return now if before is None else now + (before - now) * keep
