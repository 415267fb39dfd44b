"""Defines the largest and the smallest value, which fade towards the present one with the time constant `hours`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from edge.models.operations.averages import faded
from edge.models.operations.operation import Elapsed, positive


@dataclass(frozen=True, slots=True)
class Peak:
    """Gives the largest value."""

    hours: float = 0.0
    operands: ClassVar[int] = 1
    remembers: ClassVar[bool] = True

    def __post_init__(self) -> None:
        positive("hours", self.hours)

    def value(self, operands: Sequence[float], before: float | None, time: Elapsed) -> float:
        return max(operands[0], faded(operands[0], before, math.exp(-time.hours / self.hours)))


@dataclass(frozen=True, slots=True)
class Trough:
    """Gives the smallest value."""

    hours: float = 0.0
    operands: ClassVar[int] = 1
    remembers: ClassVar[bool] = True

    def __post_init__(self) -> None:
        positive("hours", self.hours)

    def value(self, operands: Sequence[float], before: float | None, time: Elapsed) -> float:
        return min(operands[0], faded(operands[0], before, math.exp(-time.hours / self.hours)))
