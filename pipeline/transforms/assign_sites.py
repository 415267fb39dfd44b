"""Makes row groups with their sites of batches, those of a bundle together; other rows become rejects.

The logic is in pipeline/assign_sites.py.
"""

from __future__ import annotations

import traceback
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import apache_beam as beam
import pyarrow.compute as pc
from apache_beam.pvalue import PCollection, TaggedOutput
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.timestamp import MAX_TIMESTAMP, Timestamp
from apache_beam.utils.windowed_value import WindowedValue

from pipeline import archive, rejects
from pipeline.assign_sites import assign_sites
from pipeline.batch_rows import batch_rows
from pipeline.elements import Clock, DecodedBatch, DecodedBatches, Delivery, RejectedRows, RowGroup, TableRows
from pipeline.enrich import Sites
from pipeline.facts import facts
from schemas.registry import OfRegistry

ROWS_TOGETHER = 10_000
BYTES_TOGETHER = 16_000_000
"""How many rows of batches, or bytes of them, go on together at most, give or take those of one parcel."""

_REJECTS, _DELIVERIES = "rejects", "deliveries"


class Assigned(NamedTuple):
    """Holds row groups and rejects; where the sink acknowledges, all rows of some messages together as deliveries, too."""

    row_groups: PCollection[RowGroup]
    unplaced: PCollection[TableRows]
    deliveries: PCollection[Delivery] | None = None


class AssignSites(beam.PTransform):
    """Assigns sites: `assigned = batches | AssignSites(OfRegistry(registry, Sites), clock)`."""

    def __init__(self, sites: OfRegistry[Sites], clock: Clock, *, acknowledge: bool = False) -> None:
        super().__init__()
        self._sites = sites
        self._clock = clock
        self._acknowledge = acknowledge

    def expand(self, batches: PCollection[DecodedBatches]) -> Assigned:
        types = {_REJECTS: TableRows, _DELIVERIES: Delivery} if self._acknowledge else {}
        tags = tuple(types) or (_REJECTS,)
        assign = beam.ParDo(_AssignSites(self._sites, self._clock, acknowledge=self._acknowledge)).with_output_types(RowGroup, **types)
        outputs = batches | assign.with_outputs(*tags, main="row_groups")
        return Assigned(*(outputs[tag] for tag in ("row_groups", *tags)))


class _AssignSites(beam.DoFn):
    def __init__(self, sites: OfRegistry[Sites], clock: Clock, *, acknowledge: bool) -> None:
        self._sites = sites
        self._clock = clock
        self._acknowledge = acknowledge

    def start_bundle(self) -> None:
        self._waiting: dict[str, _Waiting] = defaultdict(_Waiting)

    def process(self, batches: DecodedBatches, timestamp: Timestamp = beam.DoFn.TimestampParam) -> Iterator[Any]:  # type: ignore[assignment]
        waiting = self._waiting[batches.kind]
        waiting.add(batches, timestamp)
        if waiting.rows >= ROWS_TOGETHER or waiting.raw_bytes >= BYTES_TOGETHER:
            yield from self._flush(batches.kind)

    def finish_bundle(self) -> Iterator[Any]:
        for kind in list(self._waiting):
            yield from self._flush(kind)

    def _flush(self, kind: str) -> Iterator[Any]:
        """Sends on what waits, as old as the oldest batch in it."""
        waiting = self._waiting.pop(kind)
        tables = list[TableRows]()
        for row_group, rejected in self._assigned(waiting.several):
            tables += rejected
            if row_group and row_group.rows.num_rows:
                yield waiting.as_old(row_group)
                tables += [facts(row_group)] if self._acknowledge else []
            for reject in rejected:
                yield TaggedOutput(_REJECTS, waiting.as_old(reject))
        if self._acknowledge:
            yield TaggedOutput(_DELIVERIES, waiting.as_old(self._delivery(waiting.several, tables)))

    def _delivery(self, several: Sequence[DecodedBatches], tables: Sequence[TableRows]) -> Delivery:
        """Puts together what these batches became, their own rows with it."""
        own = batch_rows([batches.receipts for batches in several], self._clock)
        ack_ids = tuple(ack_id for batches in several for ack_id in batches.ack_ids)
        names = tuple(name for batches in several for name in batches.names())
        return Delivery((*tables, *own), ack_ids, names, tuple(entry for batches in several for entry in archive.of_batches(batches)))

    def _assigned(self, several: Sequence[DecodedBatches]) -> Iterator[tuple[RowGroup | None, list[TableRows]]]:
        """Assigns sites to all at once; a batch that makes us fail is found by looking at each alone."""
        try:
            yield assign_sites(several, self._sites.current(), self._clock())
        except Exception as error:  # noqa: BLE001 - set aside
            each = [batch for batches in several for batch in batches]
            if len(each) == 1:
                yield None, [self._fault(each[0], error)]
            else:
                for batch in each:
                    yield from self._assigned([DecodedBatches.of(batch)])

    def _fault(self, batch: DecodedBatch, error: Exception) -> TableRows:
        fault = RejectedRows("fault", repr(error), batch.rows)
        return rejects.of_rows(batch, fault, "pipeline.enrich", self._clock(), "".join(traceback.format_exception(error)))


@dataclass(slots=True)
class _Waiting:
    """Holds batches that wait for more of their kind."""

    several: list[DecodedBatches] = field(default_factory=list)
    rows: int = 0
    raw_bytes: int = 0
    oldest: Timestamp = MAX_TIMESTAMP

    def add(self, batches: DecodedBatches, timestamp: Timestamp) -> None:
        self.several.append(batches)
        self.rows += batches.rows.num_rows
        self.raw_bytes += pc.sum(batches.receipts.column("raw_bytes")).as_py()
        self.oldest = min(self.oldest, timestamp)

    def as_old(self, element: Any) -> WindowedValue:
        """Gives an element the time of the oldest batch."""
        return WindowedValue(element, self.oldest, (GlobalWindow(),))
