"""Encodes rows of one kind as a batch, encoded once and immutable, ready for the outbox. edge.store.form says what its body looks like.

Guarantees that what the pipeline decodes equals the rows, in their order, exactly; rows that no decoder would accept are refused here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from edge.store.form import form
from schemas.envelope import MAX_BODY_BYTES, MAX_RAW_BYTES, MAX_ROWS, Envelope
from schemas.records import KINDS, SCHEMA_VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedBatch:
    """Holds a batch that has no name yet: `Store.cut` gives it one. Sizes are in bytes, times UTC."""

    kind: str
    row_count: int
    body: bytes
    raw_bytes: int
    priority: int
    time_min: datetime
    time_max: datetime
    readings: int = 0
    """Readings that are lost with this batch: the ledger counts them when a full store drops it."""
    schema_version: str = SCHEMA_VERSION

    def envelope(self, gateway_id: str, epoch: int, seq: int, cut_time: datetime) -> Envelope:
        """Returns the envelope of the batch under this name."""
        return Envelope(
            gateway_id=gateway_id,
            epoch=epoch,
            seq=seq,
            kind=self.kind,
            row_count=self.row_count,
            raw_bytes=self.raw_bytes,
            priority=self.priority,
            cut_time=cut_time,
            time_min=self.time_min,
            time_max=self.time_max,
            schema_version=self.schema_version,
        )


class BatchTooLarge(ValueError):
    """So many rows are too many bytes for one batch; fewer may not be."""


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """Says what a batch may hold at most, and the version of the schema that it is of."""

    rows: int = MAX_ROWS
    body_bytes: int = MAX_BODY_BYTES
    schema_version: str = SCHEMA_VERSION


def encode_all(kind: str, rows: Sequence[Any], readings: Sequence[int], limits: BatchLimits) -> list[EncodedBatch]:
    """Encodes rows in order, in as many batches as their number and their bytes need. `readings[i]` are lost with row i, if any are.

    Raises BatchTooLarge if one row alone is.
    """
    parts = (slice(at, at + limits.rows) for at in range(0, len(rows), limits.rows))
    return [batch for part in parts for batch in _split(kind, rows[part], readings[part], limits)]


def _split(kind: str, rows: Sequence[Any], readings: Sequence[int], limits: BatchLimits) -> list[EncodedBatch]:
    try:
        return [encode(kind, rows, sum(readings), limits)]
    except BatchTooLarge:
        if len(rows) == 1:
            raise
    half = len(rows) // 2
    return [batch for part in (slice(half), slice(half, None)) for batch in _split(kind, rows[part], readings[part], limits)]


def encode(kind: str, rows: Sequence[Any], readings: int = 0, limits: BatchLimits = BatchLimits()) -> EncodedBatch:
    """Encodes `rows`, records of the kind, for readers of a version. Raises BatchTooLarge for more bytes than one batch may hold,
    ValueError for no rows or too many; ValueError, TypeError, AttributeError or OverflowError for a row that is not such a record.
    """
    if not 1 <= len(rows) <= limits.rows:
        raise ValueError(f"a batch of {kind} holds 1 to {limits.rows} rows, not {len(rows)}")
    written = form(limits.schema_version)
    raw = written.content(KINDS[kind].record, rows)
    body = written.compress(raw)
    if len(raw) > MAX_RAW_BYTES or len(body) > limits.body_bytes:
        raise BatchTooLarge(f"a batch of {len(rows)} {kind} is too large: {len(raw)} bytes, {len(body)} compressed")
    times = [getattr(row, KINDS[kind].event_time) for row in rows]
    return EncodedBatch(
        kind=kind,
        row_count=len(rows),
        body=body,
        raw_bytes=len(raw),
        priority=KINDS[kind].priority,
        time_min=min(times),
        time_max=max(times),
        readings=readings,
        schema_version=limits.schema_version,
    )
