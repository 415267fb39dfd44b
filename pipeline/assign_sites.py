"""Brings the good rows of batches of a kind together, each with its site; the others become rejects, as their batch has them.

Together, because a call costs nearly the same for fifty rows and for five thousand. What is rejected of a batch gives the same reject,
whatever other batches it was looked at with.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

import numpy as np
import pyarrow as pa

from pipeline import rejects
from pipeline.elements import DecodedBatches, RejectedRows, RowGroup, TableRows
from pipeline.enrich import Sites, enrich
from pipeline.validate import validate


def assign_sites(several: Sequence[DecodedBatches], sites: Sites, now: datetime) -> tuple[RowGroup, list[TableRows]]:
    """Returns the good rows (maybe none), and one reject for each batch and reason."""
    valid, invalid = validate(group_rows(several), now)
    row_group, unplaced = enrich(valid, sites)
    rejected = [("pipeline.validate", rows) for rows in invalid] + [("pipeline.enrich", rows) for rows in unplaced]
    return row_group, [reject for stage, rows in rejected for reject in _rejects(several, rows, stage, now)]


def group_rows(several: Sequence[DecodedBatches]) -> RowGroup:
    """Returns all rows of batches of one kind."""
    rows = pa.concat_batches([batches.rows for batches in several])
    receipts = pa.concat_batches([batches.receipts for batches in several])
    batch_of_row = pa.array(np.repeat(np.arange(receipts.num_rows), np.concatenate([batches.counts for batches in several])))
    of_batch = {name: receipts.column(name) for name in ("batch_id", "gateway_id", "received_time")}
    arrays = [*rows.columns, *(values.take(batch_of_row) for values in of_batch.values())]
    return RowGroup(several[0].kind, pa.RecordBatch.from_arrays(arrays, names=[*rows.schema.names, *of_batch]))


def by_batch(row_group: RowGroup) -> Iterator[RowGroup]:
    """Yields the rows of each batch."""
    numbers = row_group.rows.column("batch_id").dictionary_encode().indices.to_numpy()
    starts = np.flatnonzero(np.diff(numbers, prepend=-1)).tolist()
    for first, end in zip(starts, [*starts[1:], len(numbers)], strict=True):
        yield row_group.with_rows(row_group.rows.slice(first, end - first))


def _rejects(several: Sequence[DecodedBatches], rejected: RejectedRows, stage: str, now: datetime) -> Iterator[TableRows]:
    by_id = {batch.envelope.batch_id: batch for batches in several for batch in batches}
    for of_batch in by_batch(RowGroup(several[0].kind, rejected.rows)):
        batch = by_id[of_batch.rows.column("batch_id")[0].as_py()]
        rows = batch.rows.take(of_batch.rows.column("row"))
        yield rejects.of_rows(batch, RejectedRows(rejected.reason, rejected.text, rows), stage, now)
