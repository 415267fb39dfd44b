"""Defines the seam between inference and whatever runs the models: features in, scores out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


class ScorerFailed(Exception):
    """This call gave no scores. The next one may."""


class ScorerLate(ScorerFailed):
    """No answer came in time. That says little of the model: the machine may have had other work."""


@dataclass(frozen=True, slots=True)
class Score:
    """Holds what a model says of a row of features. `uncertainty` is the width of its central 80 % interval; both in the bundle's unit."""

    label: str
    score: float
    uncertainty: float


class Scorer(Protocol):
    """Runs models by name; a gateway's is edge.models.process_scorer.ProcessScorer.

    Usage: `scorer.score("soil", [features])`.
    """

    @property
    def runtime(self) -> str:
        """Names the inference runtime and its version, such as `tflite-runtime 2.14.0`; empty without one."""
        ...

    def score(self, name: str, features: Sequence[Sequence[float]]) -> list[Score]:
        """Returns one score for each row. Raises ScorerFailed."""
        ...
