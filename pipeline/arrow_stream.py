"""Takes a batch's Arrow IPC stream apart, and reads the record batches of many streams at once.

Every byte of a stream is accounted for before Arrow sees it: a schema, one record batch that is not compressed once more, and the end. So
record batches of one schema, put behind each other, are again a stream, which holds exactly one for each. (Format: Arrow's Message.fbs.)
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import pyarrow as pa

END_OF_STREAM = b"\xff\xff\xff\xff\x00\x00\x00\x00"

_CONTINUES = 0xFFFFFFFF
_HEAD = struct.Struct("<II")
_U16, _U32, _I32, _I64 = (struct.Struct(f"<{code}") for code in "HIiq")
_OFFSETS = tuple(struct.Struct(f"<{number}H") for number in range(5))
_HEADERS = {1: "a schema", 2: "a dictionary", 3: "a record batch"}
_SCHEMA, _RECORD_BATCH = 1, 3
_AT_ONCE = 100
"""So many are read in one call: fewer cost calls, more leave the processor's caches, at 16 times as many by half."""


class BadStream(ValueError):
    """The bytes are no such stream; the text says why."""


class Stream(NamedTuple):
    """Holds the two messages of a stream, as bytes, and how many rows the record batch declares."""

    schema: bytes
    record_batch: bytes
    rows: int


def take_apart(raw: bytes) -> Stream:
    """Takes the stream apart. Raises BadStream."""
    try:
        schema_end = _schema_end(raw[: _HEAD.size + _U32.unpack_from(raw, 4)[0]])
        end, record_batch = _end(raw, schema_end, _RECORD_BATCH)
        if raw[end:] != END_OF_STREAM:
            raise BadStream("the record batch is not followed by exactly the end of the stream")
        rows, _, _, compression = _members(raw, record_batch)
        if compression:
            raise BadStream("buffers inside the Arrow stream are compressed once more")
        return Stream(raw[:schema_end], raw[schema_end:end], _I64.unpack_from(raw, rows)[0] if rows else 0)
    except (struct.error, IndexError) as error:
        raise BadStream(f"not a sound Arrow IPC stream: {error}") from error


def read_together(streams: Sequence[Stream]) -> pa.RecordBatch:
    """Returns the rows of streams of one schema, one after the other. Raises pyarrow's errors, and OSError, for what is unsound in any."""
    starts = range(0, len(streams), _AT_ONCE)
    return pa.concat_batches([_read(streams[start : start + _AT_ONCE]) for start in starts])


def _read(streams: Sequence[Stream]) -> pa.RecordBatch:
    joined = b"".join((streams[0].schema, *(stream.record_batch for stream in streams), END_OF_STREAM))
    table = pa.ipc.open_stream(joined).read_all()
    table.validate(full=True)  # each as it came: nothing is put together that points outside of itself
    [rows] = table.combine_chunks().to_batches()
    return rows


@lru_cache(maxsize=64)
def _schema_end(schema: bytes) -> int:
    """Returns how long the schema's message is, which has no body; nearly all streams begin with the same. Raises as `_end`."""
    return _end(schema, 0, _SCHEMA)[0]


def _end(raw: bytes, at: int, wanted: int) -> tuple[int, int]:
    """Returns where the IPC message ends that begins there, and where its header lies, a FlatBuffers table. Raises BadStream if it is
    another than is wanted; struct.error or IndexError where it points elsewhere.
    """
    if len(raw) - at < _HEAD.size or raw[at : at + _HEAD.size] == END_OF_STREAM:
        raise BadStream("the Arrow stream ends before its record batch")
    mark, size = _HEAD.unpack_from(raw, at)
    metadata = at + _HEAD.size
    _, kind, header, body = _members(raw, metadata + _U32.unpack_from(raw, metadata)[0])
    end = metadata + size + (_I64.unpack_from(raw, body)[0] if body else 0)
    if mark != _CONTINUES or not kind or not header or not metadata + size <= end <= len(raw):
        raise BadStream(f"no sound Arrow IPC message at byte {at}")
    if raw[kind] != wanted:
        found = _HEADERS.get(raw[kind], "something else")
        raise BadStream(f"the Arrow stream must be a schema and a record batch: {found} is where {_HEADERS[wanted]} must be")
    return end, header + _U32.unpack_from(raw, header)[0]


def _members(raw: bytes, table: int) -> list[int]:
    """Returns the positions of a FlatBuffers table's first four members, 0 for one that is absent."""
    vtable = table - _I32.unpack_from(raw, table)[0]
    present = min(max(_U16.unpack_from(raw, vtable)[0] // 2 - 2, 0), 4)
    offsets = _OFFSETS[present].unpack_from(raw, vtable + 4)
    return [table + offset if offset else 0 for offset in offsets] + [0] * (4 - present)
