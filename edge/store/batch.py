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


def encode(kind: str, rows: Sequence[Any], readings: int = 0, schema_version: str = SCHEMA_VERSION) -> EncodedBatch:
    """Encodes `rows`, records of the kind, for readers of a version. Raises ValueError for no rows, or more than one batch may hold;
    ValueError, TypeError, AttributeError or OverflowError for a row that is not such a record.
    """
    if not 1 <= len(rows) <= MAX_ROWS:
        raise ValueError(f"a batch of {kind} holds 1 to {MAX_ROWS} rows, not {len(rows)}")
    written = form(schema_version)
    raw = written.content(KINDS[kind].record, rows)
    body = written.compress(raw)
    if len(raw) > MAX_RAW_BYTES or len(body) > MAX_BODY_BYTES:
        raise ValueError(f"a batch of {len(rows)} {kind} is too large: {len(raw)} bytes, {len(body)} compressed")
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
        schema_version=schema_version,
    )
