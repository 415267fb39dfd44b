"""Defines the seam between what a model's tensor holds and the score of a window: what a kind of output is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    # A gateway knows its models' kinds without numpy, which only their child processes load.
    import numpy as np

    Floats = np.ndarray[Any, np.dtype[np.float64]]


class Output(Protocol):
    """Says how the numbers that a model answers become low, score and high: the score, and the bounds of its central 80 %."""

    def width(self, inputs: int) -> int:
        """Says how many numbers the model answers for a row of so many inputs."""
        ...

    def scores(self, inputs: Floats, outputs: Floats) -> Floats:
        """Turns shapes (rows, inputs) and (rows, width) into (rows, 3). The inputs are as the model saw them, normalised and quantised."""
        ...
