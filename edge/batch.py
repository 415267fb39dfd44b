"""Rows of one kind -> a parcel: one Arrow IPC stream under zstd, encoded once and immutable, ready for the outbox.

Guarantees that what the pipeline decodes equals the rows, in their order, exactly; a parcel that no decoder would accept is refused here.
"""

from __future__ import annotations

import io
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import accumulate
from operator import attrgetter
from typing import Any

import nanoarrow as na
import zstandard
from nanoarrow import ipc

from schemas.arrow import Column, wire_columns
from schemas.envelope import MAX_BODY_BYTES, MAX_RAW_BYTES, MAX_ROWS, micros
from schemas.records import EVENT_TIME, KINDS, PRIORITY


@dataclass(frozen=True, slots=True)
class Parcel:
    """A batch that has no name yet: `Store.cut` gives it one. Sizes in bytes, times UTC."""

    kind: str
    row_count: int
    body: bytes
    raw_bytes: int
    priority: int
    time_min: datetime
    time_max: datetime
    readings: int = 0
    """Readings that are lost if this parcel is: the ledger counts them when a full store drops it."""


def encode(kind: str, rows: Sequence[Any], readings: int = 0) -> Parcel:
    """Raises ValueError for no rows, for rows that no decoder would accept together, and for text that is not valid Unicode."""
    if not 1 <= len(rows) <= MAX_ROWS:
        raise ValueError(f"a batch of {kind} holds 1 to {MAX_ROWS} rows, not {len(rows)}")
    raw = _ipc_stream(kind, rows)
    body = zstandard.ZstdCompressor(level=3, write_content_size=True).compress(raw)
    if len(raw) > MAX_RAW_BYTES or len(body) > MAX_BODY_BYTES:
        raise ValueError(f"a batch of {len(rows)} {kind} is too large: {len(raw)} bytes, {len(body)} compressed")
    times = [getattr(row, EVENT_TIME[kind]) for row in rows]
    return Parcel(kind, len(rows), body, len(raw), PRIORITY[kind], min(times), max(times), readings)


def _ipc_stream(kind: str, rows: Sequence[Any]) -> bytes:
    columns = wire_columns(KINDS[kind])
    children = [_array(column, list(map(attrgetter(column.name), rows))) for column in columns]
    out = io.BytesIO()
    with ipc.StreamWriter.from_writable(out) as writer:
        writer.write_stream(na.c_array_stream(na.c_array_from_buffers(_schema(kind), len(rows), [None], children=children)))
    return out.getvalue()


@cache
def _schema(kind: str) -> Any:
    return na.c_schema(na.struct({column.name: _type(column) for column in wire_columns(KINDS[kind])}, nullable=False))


def _type(column: Column) -> na.Schema:
    if column.repeated:
        return na.list_(_element(column.type), nullable=column.nullable)
    return _element(column.type, nullable=column.nullable)


def _array(column: Column, values: list[Any]) -> Any:
    if not column.repeated:
        return _plain(column.type, values)
    offsets = array("i", accumulate(map(len, values), initial=0))
    items = _plain(column.type, [item for value in values for item in value])
    return na.c_array_from_buffers(na.list_(_element(column.type)), len(values), [None, offsets], children=[items])


def _plain(kind: str, values: list[Any]) -> Any:
    """One Arrow array of the values, None where null."""
    nulls = values.count(None) if None in values else 0
    validity = na.c_buffer([value is not None for value in values], na.bool_()) if nulls else None
    return na.c_array_from_buffers(_element(kind), len(values), [validity, *_BUFFERS[kind](values)], null_count=nulls)


@cache
def _element(kind: str, *, nullable: bool = True) -> na.Schema:
    return na.timestamp("us", "UTC", nullable=nullable) if kind == "timestamp" else _TYPES[kind](nullable)


def _integers(values: list[Any]) -> list[Any]:
    return [array("q", [value or 0 for value in values])]


def _floats(values: list[Any]) -> list[Any]:
    return [array("d", [0.0 if value is None else value for value in values])]


def _flags(values: list[Any]) -> list[Any]:
    return [na.c_buffer([bool(value) for value in values], na.bool_())]


def _times(values: list[Any]) -> list[Any]:
    return [array("q", [0 if value is None else micros(value) for value in values])]


def _texts(values: list[Any]) -> list[Any]:
    return _binaries([value and value.encode() for value in values])


def _binaries(values: list[Any]) -> list[Any]:
    held = [value or b"" for value in values]
    return [array("i", accumulate(map(len, held), initial=0)), b"".join(held)]


_TYPES = {"string": na.string, "int64": na.int64, "float64": na.float64, "bool": na.bool_, "binary": na.binary}
_BUFFERS: dict[str, Callable[[list[Any]], list[Any]]] = {
    "string": _texts,
    "int64": _integers,
    "float64": _floats,
    "bool": _flags,
    "timestamp": _times,
    "binary": _binaries,
}
