"""Makes the batches' own rows of batches_v1; a batch whose cut time no partition has becomes a reject. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa

from pipeline import rejects
from pipeline.elements import Clock, TableRows, UnwrittenRows
from pipeline.validate import within_partitions
from schemas.records import TABLES, Batch


def batch_rows(receipts: Sequence[pa.RecordBatch], clock: Clock) -> Iterator[TableRows]:
    """Yields the rows that these receipts are, and rejects of those that have no place."""
    if not receipts:
        return
    rows = TableRows(TABLES[Batch].name, pa.concat_batches(receipts))
    within, outside = within_partitions(rows, clock())
    if within:
        yield within
    if outside:
        yield from rejects.of_unwritten(UnwrittenRows(rows.table, outside), clock)
