"""Batches of a kind -> their good rows together, each with its site; the others -> rejects, as their batch has them.

Together, because a call costs nearly the same for fifty rows and for five thousand. What is refused of a batch gives the same reject,
whatever other batches it was looked at with.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

import numpy as np
import pyarrow as pa

from pipeline import rejects
from pipeline.elements import Batch, Rejected, RowGroup, Rows
from pipeline.enrich import Sites, enrich
from pipeline.validate import validate

_TIME = pa.timestamp("us", "UTC")


def assign_sites(batches: Sequence[Batch], sites: Sites, now: datetime) -> tuple[RowGroup, list[Rows]]:
    """The good rows (maybe none), and one reject for each batch and reason."""
    sound, bad = validate(gather(batches), now)
    placed, unknown = enrich(sound, sites)
    refused = [("pipeline.decode", one) for one in bad] + [("pipeline.enrich", one) for one in unknown]
    return placed, [reject for stage, one in refused for reject in _rejects(batches, one, stage, now)]


def gather(batches: Sequence[Batch]) -> RowGroup:
    """All rows of batches of one kind."""
    rows = pa.concat_batches([batch.rows for batch in batches])
    of = pa.array(np.repeat(np.arange(len(batches)), [batch.rows.num_rows for batch in batches]))
    named = {
        "batch_id": pa.array([batch.envelope.batch_id for batch in batches], pa.string()),
        "gateway_id": pa.array([batch.envelope.gateway_id for batch in batches], pa.string()),
        "received_time": pa.array([batch.received_time for batch in batches], _TIME),
    }
    arrays = [*rows.columns, *(values.take(of) for values in named.values())]
    return RowGroup(batches[0].envelope.kind, pa.RecordBatch.from_arrays(arrays, names=[*rows.schema.names, *named]))


def by_batch(gathered: RowGroup) -> Iterator[RowGroup]:
    """The rows of each batch."""
    numbers = gathered.rows.column("batch_id").dictionary_encode().indices.to_numpy()
    starts = np.flatnonzero(np.diff(numbers, prepend=-1)).tolist()
    for first, end in zip(starts, [*starts[1:], len(numbers)], strict=True):
        yield gathered.with_rows(gathered.rows.slice(first, end - first))


def _rejects(batches: Sequence[Batch], refused: Rejected, stage: str, now: datetime) -> Iterator[Rows]:
    by_id = {batch.envelope.batch_id: batch for batch in batches}
    for part in by_batch(RowGroup(batches[0].envelope.kind, refused.rows)):
        batch = by_id[part.rows.column("batch_id")[0].as_py()]
        own = batch.rows.take(part.rows.column("row"))
        yield rejects.of_rows(batch, Rejected(refused.reason, refused.text, own), stage, now)
