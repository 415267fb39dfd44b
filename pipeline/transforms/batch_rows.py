"""Makes the batches' own rows of batches_v1, those of a bundle at once. The logic is in pipeline/batch_rows.py."""

from __future__ import annotations

from collections.abc import Iterator

import apache_beam as beam
import pyarrow as pa
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.timestamp import MIN_TIMESTAMP
from apache_beam.utils.windowed_value import WindowedValue

from pipeline.batch_rows import batch_rows
from pipeline.elements import Clock, DecodedBatches, TableRows
from pipeline.transforms.collect import ROWS_AT_ONCE


@beam.typehints.with_output_types(TableRows)
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
        return batch_rows(waiting, self._clock)
