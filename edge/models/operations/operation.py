"""Defines the seam between a feature recipe and the kinds of its steps: what an operation is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Elapsed:
    """Counts hours from the end of the device's window before to that of the present one, and since its history began."""

    hours: float
    age_hours: float


class Operation(Protocol):
    """Computes a kind of step, by the settings that the recipe gives: a dataclass whose fields are those settings, and which checks them.

    Usage: `Ratio(floor=0.1).value([top, bottom], None, elapsed)`. What an operation that remembers gave for the window before comes back
    as `before`: None for a device's first window, and for every other operation.
    """

    @property
    def operands(self) -> int:
        """Says how many channels or earlier steps it takes."""
        ...

    @property
    def remembers(self) -> bool: ...

    def value(self, operands: Sequence[float], before: float | None, time: Elapsed) -> float:
        """Returns the value of the step: pure, and finite if the operands are."""
        ...


def positive(setting: str, value: object) -> None:
    """Raises ValueError unless the value is a number above 0."""
    if not isinstance(value, int | float) or not 0 < value < math.inf:
        raise ValueError(f"needs {setting} > 0")
