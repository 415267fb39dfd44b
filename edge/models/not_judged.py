"""Says what a machine is in a window that a model does not judge: what that is, is neither failing nor silence."""

from __future__ import annotations

from dataclasses import dataclass

from schemas.records import Severity

STANDING_STILL, SENSOR_DISTURBED = "standing_still", "sensor_disturbed"


@dataclass(frozen=True, slots=True)
class NotJudged:
    """Holds the state, and the value by which it is known: decades of energy below what is usual; 0 of a sensor that gives a constant."""

    state: str
    value: float

    @property
    def severity(self) -> Severity:
        return Severity.INFO if self.state == STANDING_STILL else Severity.WARNING
