"""Makes the batches' own rows of batches_v1, those of a bundle at once; a batch whose cut time no partition has becomes a reject."""

from __future__ import annotations

from collections.abc import Iterator

import apache_beam as beam
import pyarrow as pa
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.timestamp import MIN_TIMESTAMP
from apache_beam.utils.windowed_value import WindowedValue

from pipeline import rejects
from pipeline.elements import Clock, DecodedBatches, TableRows, UnwrittenRows
from pipeline.transforms.collect import ROWS_AT_ONCE
from pipeline.validate import within_partitions
from schemas.records import TABLES, Batch


class BatchRows(beam.DoFn):
    """Makes the rows: `batches | beam.ParDo(BatchRows(clock))`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def start_bundle(self) -> None:
        self._waiting: list[pa.RecordBatch] = []

    def process(self, batches: DecodedBatches) -> Iterator[TableRows]:
        self._waiting.append(batches.receipts)
        if sum(receipts.num_rows for receipts in self._waiting) >= ROWS_AT_ONCE:
            yield from self._flush()

    def finish_bundle(self) -> Iterator[WindowedValue]:
        return (WindowedValue(rows, MIN_TIMESTAMP, (GlobalWindow(),)) for rows in self._flush())

    def _flush(self) -> Iterator[TableRows]:
        waiting, self._waiting = self._waiting, []
        if waiting:
            rows = TableRows(TABLES[Batch].name, pa.concat_batches(waiting))
            within, outside = within_partitions(rows, self._clock())
            if within:
                yield within
            if outside:
                yield from rejects.of_unwritten(UnwrittenRows(rows.table, outside), self._clock)
