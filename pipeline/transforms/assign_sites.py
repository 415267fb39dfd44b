"""Makes row groups with their sites of batches, those of a bundle together; other rows become rejects.

The logic is in pipeline/assign_sites.py.
"""

from __future__ import annotations

import traceback
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import apache_beam as beam
from apache_beam.pvalue import PCollection, TaggedOutput
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.timestamp import MAX_TIMESTAMP, Timestamp
from apache_beam.utils.windowed_value import WindowedValue

from pipeline import rejects
from pipeline.assign_sites import assign_sites
from pipeline.elements import Clock, DecodedBatch, RejectedRows, RowGroup, TableRows
from pipeline.enrich import Sites
from schemas.registry import OfRegistry

ROWS_TOGETHER = 10_000
BYTES_TOGETHER = 16_000_000
"""How many rows of batches, or bytes of them, go on together at most, give or take one batch."""

_REJECTS = "rejects"


class AssignSites(beam.PTransform):
    """Assigns sites: `row_groups, unplaced = batches | AssignSites(OfRegistry(registry, Sites), clock)`."""

    def __init__(self, sites: OfRegistry[Sites], clock: Clock) -> None:
        super().__init__()
        self._sites = sites
        self._clock = clock

    def expand(self, batches: PCollection[DecodedBatch]) -> tuple[PCollection[RowGroup], PCollection[TableRows]]:
        outputs = batches | beam.ParDo(_AssignSites(self._sites, self._clock)).with_outputs(_REJECTS, main="row_groups")
        return outputs["row_groups"], outputs[_REJECTS]


class _AssignSites(beam.DoFn):
    def __init__(self, sites: OfRegistry[Sites], clock: Clock) -> None:
        self._sites = sites
        self._clock = clock

    def start_bundle(self) -> None:
        self._waiting: dict[str, _Waiting] = defaultdict(_Waiting)

    def process(self, batch: DecodedBatch, timestamp: Timestamp = beam.DoFn.TimestampParam) -> Iterator[Any]:  # type: ignore[assignment]
        waiting = self._waiting[batch.envelope.kind]
        waiting.add(batch, timestamp)
        if waiting.rows >= ROWS_TOGETHER or waiting.raw_bytes >= BYTES_TOGETHER:
            yield from self._flush(batch.envelope.kind)

    def finish_bundle(self) -> Iterator[Any]:
        for kind in list(self._waiting):
            yield from self._flush(kind)

    def _flush(self, kind: str) -> Iterator[Any]:
        """Sends on what waits, as old as the oldest batch in it."""
        waiting = self._waiting.pop(kind)
        for row_group, rejected in self._assigned(waiting.batches):
            if row_group and row_group.rows.num_rows:
                yield WindowedValue(row_group, waiting.oldest, (GlobalWindow(),))
            for reject in rejected:
                yield TaggedOutput(_REJECTS, WindowedValue(reject, waiting.oldest, (GlobalWindow(),)))

    def _assigned(self, batches: Sequence[DecodedBatch]) -> Iterator[tuple[RowGroup | None, list[TableRows]]]:
        """Assigns sites to all at once; a batch that makes us fail is found by looking at each alone."""
        try:
            yield assign_sites(batches, self._sites.current(), self._clock())
        except Exception as error:  # noqa: BLE001 - set aside
            if len(batches) == 1:
                fault = RejectedRows("fault", repr(error), batches[0].rows)
                yield None, [rejects.of_rows(batches[0], fault, "pipeline.enrich", self._clock(), traceback.format_exc())]
            else:
                for batch in batches:
                    yield from self._assigned([batch])


@dataclass(slots=True)
class _Waiting:
    """Holds batches that wait for more of their kind."""

    batches: list[DecodedBatch] = field(default_factory=list)
    rows: int = 0
    raw_bytes: int = 0
    oldest: Timestamp = MAX_TIMESTAMP

    def add(self, batch: DecodedBatch, timestamp: Timestamp) -> None:
        self.batches.append(batch)
        self.rows += batch.rows.num_rows
        self.raw_bytes += batch.envelope.raw_bytes
        self.oldest = min(self.oldest, timestamp)
