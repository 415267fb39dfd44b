"""Applies one step to each of several collections, its outputs as one collection.

The name of a collection is the name of its step: a running job may be replaced by one with more collections, or in another order.

Brought together before the step, rows would be copied through the shuffle of engines that flatten there: on a laptop a quarter of
all work.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import apache_beam as beam
from apache_beam.pvalue import PCollection


class Each(beam.PTransform):
    """Applies the step: `{"Facts": facts, "Rejects": rejects} | Each(beam.ParDo(Append()))`."""

    def __init__(self, step: beam.PTransform) -> None:
        super().__init__()
        self._step = step

    def expand(self, collections: Mapping[str, PCollection[Any]]) -> PCollection[Any]:
        return tuple(elements | name >> self._step for name, elements in collections.items()) | beam.Flatten()
