"""What flows between the steps: batches of rows, and from the warehouse's door on the rows of several batches together; no row ever alone.

Between workers, rows travel as one Arrow IPC message: pickled buffer by buffer, as Arrow does by itself, they cost fifteen times as much.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import pyarrow as pa

from schemas.envelope import Envelope

Clock = Callable[[], datetime]
"""Gives the time now, UTC. Passed in, so that tests have their own."""

EXPORT_FILE = "card_file"
"""Attribute of a message made from those bytes of a card file that are no sound entry: the file's name."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message as it arrived, nothing in it trusted yet."""

    attributes: dict[str, str]
    body: bytes
    received_time: datetime


@dataclass(frozen=True, slots=True)
class Batch:
    """One decoded batch. `rows` has the columns `row` and `extras`, then those of the wire."""

    envelope: Envelope
    received_time: datetime
    body_bytes: int
    rows: pa.RecordBatch

    def __reduce__(self) -> tuple[Any, ...]:
        return _batch, (self.envelope, self.received_time, self.body_bytes, *_packed(self.rows))


@dataclass(frozen=True, slots=True)
class RowGroup:
    """Rows of one or more batches of a kind, batch by batch.

    The columns of a batch, then what it was of (`batch_id`, `gateway_id`, `received_time`); `site_id` last once it is known.
    """

    kind: str
    rows: pa.RecordBatch

    def with_rows(self, rows: pa.RecordBatch) -> RowGroup:
        return replace(self, rows=rows)

    def __reduce__(self) -> tuple[Any, ...]:
        return _gathered, (self.kind, *_packed(self.rows))


@dataclass(frozen=True, slots=True)
class Rejected:
    """Rows that are set aside, whole, with the reason (a short fixed word) and a sentence."""

    reason: str
    text: str
    rows: pa.RecordBatch


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows for one table of the warehouse, with exactly its columns."""

    table: str
    rows: pa.RecordBatch

    def __reduce__(self) -> tuple[Any, ...]:
        return _rows, (self.table, *_packed(self.rows))


@dataclass(frozen=True, slots=True)
class Unwritten:
    """Rows that the warehouse refused for their content."""

    table: str
    refused: Rejected


@dataclass(frozen=True, slots=True)
class Notice:
    """One message for those who are told of alerts."""

    attributes: dict[str, str]
    body: bytes


def wall_clock() -> datetime:
    return datetime.now(UTC)


def _batch(envelope: Envelope, received_time: datetime, body_bytes: int, schema: bytes, rows: bytes) -> Batch:
    return Batch(envelope, received_time, body_bytes, _unpacked(schema, rows))


def _gathered(kind: str, schema: bytes, rows: bytes) -> RowGroup:
    return RowGroup(kind, _unpacked(schema, rows))


def _rows(table: str, schema: bytes, rows: bytes) -> Rows:
    return Rows(table, _unpacked(schema, rows))


def _packed(rows: pa.RecordBatch) -> tuple[bytes, bytes]:
    """Schema and rows, each as one Arrow IPC message."""
    return rows.schema.serialize().to_pybytes(), rows.serialize().to_pybytes()


def _unpacked(schema: bytes, rows: bytes) -> pa.RecordBatch:
    """The rows, lying in these bytes."""
    return pa.ipc.read_record_batch(pa.py_buffer(rows), _schema(schema))


@lru_cache(maxsize=64)
def _schema(schema: bytes) -> pa.Schema:
    return pa.ipc.read_schema(pa.py_buffer(schema))
