"""Decodes a received message to a batch, strictly: what is not exactly one batch of the contract raises Undecodable and nothing is guessed.

Memory is bounded before it is used: the body, its declared size, and everything that could grow inside the Arrow stream.
Unknown columns of a newer gateway are kept as JSON in `extras`; nullable columns that an older one does not send are null.
"""

from __future__ import annotations

import base64
import json
import struct
from datetime import datetime
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import zstandard

from pipeline.elements import EXPORT_FILE, DecodedBatch, ReceivedMessage
from schemas.arrow import Column, schema, wire_columns
from schemas.envelope import MAX_BODY_BYTES, MAX_RAW_BYTES, Envelope, EnvelopeError, micros
from schemas.records import KINDS

MAX_UNKNOWN_COLUMNS = 64
MAX_UNKNOWN_CELLS = 250_000
MAX_COLUMN_NAME = 128

_FIRST_VERSION = "1.0"
_END_OF_STREAM = b"\xff\xff\xff\xff\x00\x00\x00\x00"
_KEPT_TYPES = (pa.types.is_string, pa.types.is_binary, pa.types.is_boolean, pa.types.is_integer, pa.types.is_float32, pa.types.is_float64)


class Undecodable(ValueError):
    """The message is not a batch. `reason` is a short fixed word, the text says what was wrong."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


def decode(message: ReceivedMessage, *, keep_message: bool = False) -> DecodedBatch:
    """Decodes a message; the batch has the message in it where it is to be archived. Raises Undecodable."""
    envelope = _envelope(message)
    raw = _decompressed(message.body, envelope.raw_bytes)
    try:
        rows = _rows(raw, envelope)
    except Undecodable:
        raise
    except (pa.ArrowException, OSError, ValueError, OverflowError, struct.error) as error:
        raise Undecodable("bad_arrow", f"not a sound Arrow IPC stream: {error}") from error
    return DecodedBatch(envelope, message.received_time, len(message.body), rows, message if keep_message else None)


def _rows(raw: bytes, envelope: Envelope) -> pa.RecordBatch:
    received = _record_batch(raw)
    if received.num_rows != envelope.row_count:
        raise Undecodable("bad_row_count", f"the envelope says {envelope.row_count} rows, the body holds {received.num_rows}")
    rows = _conformed(received, envelope.kind)
    _check_times(rows.column(KINDS[envelope.kind].event_time), envelope)
    return rows


def _envelope(message: ReceivedMessage) -> Envelope:
    if EXPORT_FILE in message.attributes and "gateway_id" not in message.attributes:
        raise Undecodable("broken_entry", f"bytes of {message.attributes[EXPORT_FILE]} that are no sound entry")
    try:
        return Envelope.parse(message.attributes)
    except EnvelopeError as error:
        raise Undecodable("bad_envelope", str(error)) from error


def _decompressed(body: bytes, raw_bytes: int) -> bytes:
    """Returns what is in the body's one zstd frame, which must say before it is opened that it holds exactly `raw_bytes`."""
    if len(body) > MAX_BODY_BYTES:
        raise Undecodable("oversized", f"the body has {len(body)} bytes; at most {MAX_BODY_BYTES} are accepted")
    try:
        declared = zstandard.frame_content_size(body)
        if declared != raw_bytes or declared > MAX_RAW_BYTES:
            raise Undecodable("bad_size", f"the envelope says {raw_bytes} bytes, the zstd frame {declared}")
        return zstandard.ZstdDecompressor().decompress(body, max_output_size=raw_bytes, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise Undecodable("bad_zstd", f"not exactly one sound zstd frame: {error}") from error


def _record_batch(raw: bytes) -> pa.RecordBatch:
    """Returns the one record batch of the stream. Every byte is accounted for: schema, batch, end of stream."""
    source = pa.BufferReader(raw)
    messages = pa.ipc.MessageReader.open_stream(source)
    try:
        head, body = messages.read_next_message(), messages.read_next_message()
    except StopIteration:
        raise Undecodable("bad_arrow", "the Arrow stream ends before its record batch") from None
    if (head.type, body.type) != ("schema", "record batch"):
        raise Undecodable("bad_arrow", f"the Arrow stream must be a schema and a record batch, not {head.type} and {body.type}")
    if raw[source.tell() :] != _END_OF_STREAM:
        raise Undecodable("bad_arrow", "the record batch is not followed by exactly the end of the stream")
    if _is_compressed(memoryview(body.metadata)):
        raise Undecodable("bad_arrow", "buffers inside the Arrow stream are compressed once more")
    batch = pa.ipc.read_record_batch(body, pa.ipc.read_schema(head))
    batch.validate(full=True)
    return batch


def _is_compressed(metadata: memoryview) -> bool:
    """Tells whether an IPC message (FlatBuffers: Message.header.compression, Arrow's Message.fbs) declares body compression."""
    header = _member(metadata, struct.unpack_from("<I", metadata, 0)[0], 2)
    return header is not None and _member(metadata, header + struct.unpack_from("<I", metadata, header)[0], 3) is not None


def _member(metadata: memoryview, table: int, number: int) -> int | None:
    """Returns the position of a FlatBuffers table's member, None if it is absent."""
    vtable = table - struct.unpack_from("<i", metadata, table)[0]
    size = struct.unpack_from("<H", metadata, vtable)[0]
    offset = struct.unpack_from("<H", metadata, vtable + 4 + 2 * number)[0] if 4 + 2 * number < size else 0
    return table + offset if offset else None


@cache
def _wanted(kind: str) -> tuple[tuple[Column, ...], pa.Schema, pa.Schema]:
    """Returns the columns of the wire, the schema of decoded rows, and the schema of a gateway of this version."""
    columns = wire_columns(KINDS[kind].record)
    wire = schema(columns)
    fields = [pa.field("row", pa.int64(), nullable=False), pa.field("extras", pa.string()), *wire]
    return columns, pa.schema(fields), wire


def _conformed(received: pa.RecordBatch, kind: str) -> pa.RecordBatch:
    """Returns the wire's columns in their order, by name and type."""
    columns, wanted, wire = _wanted(kind)
    numbers = pa.array(np.arange(received.num_rows))
    if received.schema.equals(wire):  # columns are added, not taken out and put together: that is ten times as dear
        extras = pa.nulls(received.num_rows, pa.string())
        return received.add_column(0, wanted.field("extras"), extras).add_column(0, wanted.field("row"), numbers)
    names = received.schema.names
    if len(set(names)) < len(names):
        raise Undecodable("bad_schema", "two columns have the same name")
    arrays = [_column(received, column, wanted.field(column.name).type) for column in columns]
    known = {column.name for column in columns}
    extras = _extras(received.select([name for name in names if name not in known]))
    return pa.RecordBatch.from_arrays([numbers, extras, *arrays], schema=wanted)


def _column(received: pa.RecordBatch, column: Column, wanted: pa.DataType) -> pa.Array:
    if column.name not in received.schema.names:
        if not column.nullable and column.doc.since == _FIRST_VERSION:
            raise Undecodable("bad_schema", f"column {column.name} is missing")
        return pa.array([[]] * received.num_rows, wanted) if column.repeated else pa.nulls(received.num_rows, wanted)
    array = received.column(column.name)
    if array.type == wanted:
        return array
    if column.repeated and pa.types.is_list(array.type) and array.type.value_type == wanted.value_type:
        return array.cast(wanted)
    raise Undecodable("bad_schema", f"column {column.name} is {array.type}, not {wanted}")


def _extras(unknown: pa.RecordBatch) -> pa.Array:
    """Makes a JSON object per row of the columns that this version does not know. Only a newer gateway pays for it."""
    if not unknown.num_columns:
        return pa.nulls(unknown.num_rows, pa.string())
    if unknown.num_columns > MAX_UNKNOWN_COLUMNS or _cells(unknown) > MAX_UNKNOWN_CELLS:
        raise Undecodable("bad_schema", f"too many unknown columns or values in them: {unknown.num_columns} columns")
    for field in unknown.schema:
        if len(field.name) > MAX_COLUMN_NAME or not _is_kept(field.type):
            raise Undecodable("bad_schema", f"unknown column {field.name[:40]!r} of type {str(field.type)[:80]} cannot be kept")
    return pa.array([json.dumps(row, default=_json, sort_keys=True) for row in _finite(unknown).to_pylist()], pa.string())


def _cells(unknown: pa.RecordBatch) -> int:
    return sum(len(array) + (len(array.flatten()) if pa.types.is_list(array.type) else 0) for array in unknown.columns)


def _is_kept(kind: pa.DataType) -> bool:
    if pa.types.is_list(kind):
        kind = kind.value_type
    return any(is_type(kind) for is_type in _KEPT_TYPES) or kind == pa.timestamp("us", "UTC")


def _finite(unknown: pa.RecordBatch) -> pa.RecordBatch:
    """Makes JSON possible, which has no NaN: such numbers become text, and times too (they may lie outside the years 1 to 9999)."""
    return pa.record_batch([_as_text(array) for array in unknown.columns], names=unknown.schema.names)


def _as_text(array: pa.Array) -> pa.Array:
    if pa.types.is_floating(array.type) and not pc.all(pc.is_finite(array), min_count=0).as_py():
        return array.cast(pa.string())
    if pa.types.is_timestamp(array.type):
        return array.cast(pa.int64())
    if pa.types.is_list(array.type):
        return pa.ListArray.from_arrays(array.offsets, _as_text(array.values), mask=array.is_null() if array.null_count else None)
    return array


def _json(value: Any) -> str:
    """Writes bytes, which JSON has not, as base64."""
    return base64.b64encode(value).decode()


def _check_times(times: pa.Array, envelope: Envelope) -> None:
    """Checks that the envelope's time range is that of the rows; a range that nobody checked would be worth nothing to a router."""
    of_rows = (times.drop_null() if times.null_count else times).view(pa.int64()).to_numpy()
    declared = (micros(envelope.time_min), micros(envelope.time_max))
    if len(of_rows) and (of_rows.min(), of_rows.max()) != declared:
        raise Undecodable("bad_times", f"the envelope says {_span(envelope.time_min, envelope.time_max)}, the rows hold other event times")


def _span(first: datetime, last: datetime) -> str:
    return f"{first.isoformat()} to {last.isoformat()}"
