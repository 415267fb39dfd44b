"""Finds, among the rows that were set aside because nobody knew their device, those that have a place by now and are no facts yet.

It may be asked as often as one likes: what came in is a fact, and is not found again. Knows no engine and no warehouse.
"""

from __future__ import annotations

import io
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Protocol

import numpy as np
import pyarrow as pa

from pipeline.elements import DecodedBatch
from pipeline.enrich import Sites
from schemas.arrow import schema, wire_columns
from schemas.envelope import Envelope, EnvelopeError
from schemas.records import KINDS, Kind

UNKNOWN_DEVICE = "unknown_device"
"""The reason of these rejects."""

TOGETHER = 200
"""Of so many batches at once it is asked which rows are facts."""

Identity = tuple[str, int]
"""batch_id and row."""


@dataclass(frozen=True, slots=True)
class SetAside:
    """Is a reject that holds rows: the attributes of their batch, and the rows as an Arrow IPC stream."""

    attributes: dict[str, str]
    body: bytes
    received_time: datetime


class RejectStore(Protocol):
    """Reads what was set aside, and which of it are facts."""

    def set_aside(self, reason: str, since: datetime) -> Iterator[SetAside]:
        """Yields the rejects of a reason, the oldest first."""

    def facts(self, kind: Kind, batch_ids: Collection[str], first: datetime, last: datetime) -> set[Identity]:
        """Returns the identities of the rows of these batches that are facts, with event times within the bounds."""


def known_by_now(store: RejectStore, sites: Sites, since: datetime) -> Iterator[DecodedBatch]:
    """Yields the rows that have a place by now and are no facts yet, batch by batch."""
    placed = (batch for reject in store.set_aside(UNKNOWN_DEVICE, since) if (batch := _placed(reject, sites)))
    for batches in iter(lambda: list(islice(placed, TOGETHER)), []):
        facts = _facts(store, batches)
        yield from (rest for batch in batches if (rest := without(batch, facts)))


def without(batch: DecodedBatch, identities: Collection[Identity]) -> DecodedBatch | None:
    """Returns the batch without these rows; None if no row is left."""
    numbers = batch.rows.column("row").to_pylist()
    left = pa.array([(batch.envelope.batch_id, number) not in identities for number in numbers], pa.bool_())
    return replace(batch, rows=batch.rows.filter(left)) if left.true_count else None


def _placed(reject: SetAside, sites: Sites) -> DecodedBatch | None:
    """Returns the rows whose device has a site at their time; None if there is none, or if the bytes are no rows of a batch."""
    try:
        envelope = Envelope.parse(reject.attributes)
        rows = pa.ipc.open_stream(io.BytesIO(reject.body)).read_all().combine_chunks()
        [found] = (_conformed(part, envelope.kind) for part in rows.to_batches())
    except (EnvelopeError, pa.ArrowException, OSError, ValueError, KeyError):
        return None  # made by hand: a person looks at it by `tinybeam rejects`
    placed = sites.of(found.column("device_id"), found.column(KINDS[envelope.kind].event_time)).is_valid()
    if not placed.true_count:
        return None
    return DecodedBatch(envelope, reject.received_time, len(reject.body), found.filter(placed))


def _conformed(rows: pa.RecordBatch, kind: str) -> pa.RecordBatch:
    """Returns the rows with the columns of this version; those that an earlier one did not know are empty."""
    present = dict(zip(rows.schema.names, rows.columns, strict=True))
    wanted = schema(wire_columns(KINDS[kind].record))
    arrays = [present[name] if name in present else _empty(wanted.field(name).type, rows.num_rows) for name in wanted.names]
    return pa.RecordBatch.from_arrays([present["row"], present["extras"], *arrays], names=["row", "extras", *wanted.names])


def _empty(kind: pa.DataType, length: int) -> pa.Array:
    return pa.array([[]] * length, kind) if pa.types.is_list(kind) else pa.nulls(length, kind)


def _facts(store: RejectStore, batches: Iterable[DecodedBatch]) -> set[Identity]:
    """Asks once for each kind."""
    by_kind: dict[Kind, list[Envelope]] = {}
    for batch in batches:
        by_kind.setdefault(Kind(batch.envelope.kind), []).append(batch.envelope)
    found: set[Identity] = set()
    for kind, of_kind in by_kind.items():
        names = np.unique([envelope.batch_id for envelope in of_kind]).tolist()
        bounds = min(envelope.time_min for envelope in of_kind), max(envelope.time_max for envelope in of_kind)
        found |= store.facts(kind, names, *bounds)
    return found
