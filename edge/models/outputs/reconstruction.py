"""Scores by a model that answers its own inputs: the score is how badly it does."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge.models.outputs.output import Floats

_NORMAL_P90 = 1.2816


class Reconstruction:
    """The score is the mean squared difference over the inputs, bounded by the central limit theorem."""

    def width(self, inputs: int) -> int:
        return inputs

    def scores(self, inputs: Floats, outputs: Floats) -> Floats:
        import numpy as np

        squares = (inputs - outputs) ** 2
        count = squares.shape[1]
        score = squares.mean(axis=1)
        half = _NORMAL_P90 * (squares.std(axis=1, ddof=1) / math.sqrt(count) if count > 1 else np.zeros_like(score))
        return np.stack([score - half, score, score + half], axis=1)
