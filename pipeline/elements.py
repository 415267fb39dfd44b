"""Defines what flows between the steps: batches, and from the assignment of sites on the rows of several batches together; never a row
alone.

Between workers, rows travel as one Arrow IPC message: pickled buffer by buffer, as Arrow does by itself, they cost fifteen times as much.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from functools import cache, lru_cache
from itertools import compress, repeat
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from schemas.arrow import schema, table_columns
from schemas.envelope import Envelope
from schemas.records import Batch

Counts = npt.NDArray[np.int64]

Clock = Callable[[], datetime]
"""Gives the time now, UTC. It is passed in, so that tests have their own."""

EXPORT_FILE = "card_file"
"""Attribute of a message made from those bytes of an export file that are no sound entry: the file's name. It stands in rows of rejects_v1
and in their identity, so its value keeps the old word."""


BatchName = tuple[str, int, int]
"""Is `gateway_id`, `epoch` and `seq`."""


@dataclass(frozen=True, slots=True)
class ReceivedMessage:
    """Is one message as it arrived, nothing in it trusted yet. `ack_id` is there where its sink acknowledges it."""

    attributes: dict[str, str]
    body: bytes
    received_time: datetime
    ack_id: str = ""


@dataclass(frozen=True, slots=True)
class DecodedBatch:
    """Is one decoded batch. `rows` has the columns `row` and `extras`, then those of the wire; `message` is there for the archive."""

    envelope: Envelope
    received_time: datetime
    body_bytes: int
    rows: pa.RecordBatch
    message: ReceivedMessage | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return _decoded_batch, (self.envelope, self.received_time, self.body_bytes, *_packed(self.rows), self.message)


@dataclass(frozen=True, slots=True, eq=False)
class DecodedBatches:
    """Holds decoded batches of one kind: their receipts, which are rows of batches_v1, how many rows each has, and the rows of all, batch
    by batch. `messages` are there until repeats are dropped, then for the archive alone; `ack_ids` where their sink acknowledges them.
    `for batch in batches` yields each alone.
    """

    receipts: pa.RecordBatch
    counts: Counts
    rows: pa.RecordBatch
    messages: tuple[ReceivedMessage, ...] = ()
    ack_ids: tuple[str, ...] = ()

    @classmethod
    def of(cls, batch: DecodedBatch) -> DecodedBatches:
        """Returns the one batch."""
        receipt = {name: getattr(batch.envelope, name, None) for name in receipt_schema().names}
        receipt |= {"received_time": batch.received_time, "body_bytes": batch.body_bytes}
        receipts = pa.RecordBatch.from_pylist([receipt], schema=receipt_schema())
        return cls(receipts, np.array([batch.rows.num_rows]), batch.rows, (batch.message,) if batch.message else ())

    @property
    def kind(self) -> str:
        kind: str = self.receipts.column("kind")[0].as_py()
        return kind

    def names(self) -> list[BatchName]:
        """Returns the name of each."""
        columns = (self.receipts.column(name).to_pylist() for name in ("gateway_id", "epoch", "seq"))
        return list(zip(*columns, strict=True))

    def only(self, chosen: Sequence[bool]) -> DecodedBatches:
        """Returns the chosen ones, of which there must be some."""
        if all(chosen):
            return self
        rows = self.rows.filter(pa.array(np.repeat(chosen, self.counts)))
        return DecodedBatches(
            self.receipts.filter(pa.array(chosen)),
            self.counts[np.array(chosen)],
            rows,
            tuple(compress(self.messages, chosen)),
            tuple(compress(self.ack_ids, chosen)),
        )

    def __iter__(self) -> Iterator[DecodedBatch]:
        ends = np.cumsum(self.counts).tolist()
        receipts, messages = self.receipts.to_pylist(), self.messages or repeat(None)
        for receipt, count, end, message in zip(receipts, self.counts.tolist(), ends, messages, strict=False):
            envelope = Envelope(**{field.name: receipt[field.name] for field in fields(Envelope)})
            yield DecodedBatch(envelope, receipt["received_time"], receipt["body_bytes"], self.rows.slice(end - count, count), message)

    def __reduce__(self) -> tuple[Any, ...]:
        return _decoded_batches, (*_packed(self.receipts), self.counts, *_packed(self.rows), self.messages, self.ack_ids)


@cache
def receipt_schema() -> pa.Schema:
    """Returns the schema of batches_v1."""
    return schema(table_columns(Batch))


@dataclass(frozen=True, slots=True)
class RowGroup:
    """Holds rows of one or more batches of a kind, batch by batch.

    The columns of a batch, then those of its envelope (`batch_id`, `gateway_id`, `received_time`); `site_id` last once it is known.
    """

    kind: str
    rows: pa.RecordBatch

    def with_rows(self, rows: pa.RecordBatch) -> RowGroup:
        return replace(self, rows=rows)

    def __reduce__(self) -> tuple[Any, ...]:
        return _row_group, (self.kind, *_packed(self.rows))


@dataclass(frozen=True, slots=True)
class RejectedRows:
    """Holds rows that are set aside, whole, with the reason (a short fixed word) and a sentence."""

    reason: str
    text: str
    rows: pa.RecordBatch


@dataclass(frozen=True, slots=True)
class TableRows:
    """Holds rows for one table of the warehouse, with exactly its columns."""

    table: str
    rows: pa.RecordBatch

    def __reduce__(self) -> tuple[Any, ...]:
        return _table_rows, (self.table, *_packed(self.rows))


class ArchiveEntry(NamedTuple):
    """Holds one message as bytes of an export file, and in which folder of the archive it belongs."""

    place: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Delivery:
    """Holds every row that some messages became, and the ids by which these are acknowledged once all of the rows are written.

    `batches` are the names of those messages that are batches, `entries` are there for the archive alone.
    """

    tables: tuple[TableRows, ...]
    ack_ids: tuple[str, ...]
    batches: tuple[BatchName, ...] = ()
    entries: tuple[ArchiveEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class UnwrittenRows:
    """Holds rows that the warehouse refused for their content."""

    table: str
    rejected: RejectedRows


@dataclass(frozen=True, slots=True)
class NotificationMessage:
    """Is an alert's row as it is published for the notifier."""

    attributes: dict[str, str]
    body: bytes


def wall_clock() -> datetime:
    return datetime.now(UTC)


def _decoded_batch(  # noqa: PLR0913 - what __reduce__ gives
    envelope: Envelope, received_time: datetime, body_bytes: int, schema: bytes, rows: bytes, message: ReceivedMessage | None
) -> DecodedBatch:
    return DecodedBatch(envelope, received_time, body_bytes, _unpacked(schema, rows), message)


def _decoded_batches(  # noqa: PLR0913 - what __reduce__ gives
    receipt_schema: bytes,
    receipts: bytes,
    counts: Counts,
    schema: bytes,
    rows: bytes,
    messages: tuple[ReceivedMessage, ...],
    ack_ids: tuple[str, ...] = (),
) -> DecodedBatches:
    return DecodedBatches(_unpacked(receipt_schema, receipts), counts, _unpacked(schema, rows), messages, ack_ids)


def _row_group(kind: str, schema: bytes, rows: bytes) -> RowGroup:
    return RowGroup(kind, _unpacked(schema, rows))


def _table_rows(table: str, schema: bytes, rows: bytes) -> TableRows:
    return TableRows(table, _unpacked(schema, rows))


def _packed(rows: pa.RecordBatch) -> tuple[bytes, bytes]:
    """Packs schema and rows, each as one Arrow IPC message."""
    return rows.schema.serialize().to_pybytes(), rows.serialize().to_pybytes()


def _unpacked(schema: bytes, rows: bytes) -> pa.RecordBatch:
    """Returns the rows, lying in these bytes."""
    return pa.ipc.read_record_batch(pa.py_buffer(rows), _schema(schema))


@lru_cache(maxsize=64)
def _schema(schema: bytes) -> pa.Schema:
    return pa.ipc.read_schema(pa.py_buffer(schema))
