"""Applies one step to each of several collections, its outputs as one collection.

Brought together before the step, rows would be copied through the shuffle of engines that flatten there: on a laptop a quarter of
all work.
"""

from __future__ import annotations

from typing import Any

import apache_beam as beam
from apache_beam.pvalue import PCollection


class Each(beam.PTransform):
    """Applies the step: `(facts, rollups, rejects) | Each(beam.ParDo(Append()))`."""

    def __init__(self, step: beam.PTransform) -> None:
        super().__init__()
        self._step = step

    def expand(self, collections: tuple[PCollection[Any], ...]) -> PCollection[Any]:
        return tuple(rows | f"Part {number}" >> self._step for number, rows in enumerate(collections)) | beam.Flatten()
