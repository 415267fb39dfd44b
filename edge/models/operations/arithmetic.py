"""Defines operations on the present window alone, and the age of the history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from edge.models.operations.operation import Elapsed, positive


@dataclass(frozen=True, slots=True)
class Last:
    """Gives the present value."""

    operands: ClassVar[int] = 1
    remembers: ClassVar[bool] = False

    def value(self, operands: Sequence[float], before: float | None, time: Elapsed) -> float:
        return operands[0]


@dataclass(frozen=True, slots=True)
class Difference:
    """Takes the second from the first."""

    operands: ClassVar[int] = 2
    remembers: ClassVar[bool] = False

    def value(self, operands: Sequence[float], before: float | None, time: Elapsed) -> float:
        left, right = operands
        return left - right


@dataclass(frozen=True, slots=True)
class Magnitude:
    """Drops the sign."""

    operands: ClassVar[int] = 1
    remembers: ClassVar[bool] = False

    def value(self, operands: Sequence[float], before: float | None, time: Elapsed) -> float:
        return abs(operands[0])


@dataclass(frozen=True, slots=True)
class Ratio:
    """Divides the first by the second, or by `floor` where that is more."""

    floor: float = 0.0
    operands: ClassVar[int] = 2
    remembers: ClassVar[bool] = False

    def __post_init__(self) -> None:
        positive("floor", self.floor)

    def value(self, operands: Sequence[float], before: float | None, time: Elapsed) -> float:
        top, bottom = operands
        return top / max(bottom, self.floor)


@dataclass(frozen=True, slots=True)
class Age:
    """Says how much history there is, as a share of `hours`, at most 1."""

    hours: float = 0.0
    operands: ClassVar[int] = 0
    remembers: ClassVar[bool] = False

    def __post_init__(self) -> None:
        positive("hours", self.hours)

    def value(self, operands: Sequence[float], before: float | None, time: Elapsed) -> float:
        return min(time.age_hours / self.hours, 1.0)
