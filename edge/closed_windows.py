"""Holds what came of windows that are closed and not cut yet."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from edge.summaries.deadband import CountedSummary
from schemas.records import Inference, Summary


@dataclass(slots=True)
class ClosedWindows:
    """Holds the rows of windows. `readings[i]` is how many readings leave the journal with `summaries[i]`."""

    summaries: list[Summary] = field(default_factory=list)
    readings: list[int] = field(default_factory=list)
    inferences: list[Inference] = field(default_factory=list)
    set_aside: int = 0
    """Readings that leave the journal as rejects."""

    @property
    def verdicts(self) -> list[Inference]:
        """Returns the inferences without those of models in a shadow."""
        return [inference for inference in self.inferences if not inference.shadow]

    def add(self, counted: Iterable[CountedSummary]) -> None:
        for summary, readings in counted:
            self.summaries.append(summary)
            self.readings.append(readings)
