"""Encodes rows of one kind as a batch: an Arrow IPC stream under zstd, encoded once and immutable, ready for the outbox.

Guarantees that what the pipeline decodes equals the rows, in their order, exactly; rows that no decoder would accept are refused here.
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
from schemas.envelope import MAX_BODY_BYTES, MAX_RAW_BYTES, MAX_ROWS, from_micros, micros
from schemas.records import KINDS


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


def encode(kind: str, rows: Sequence[Any], readings: int = 0) -> EncodedBatch:
    """Encodes `rows`, records of the kind. Raises ValueError for no rows, or more than one batch may hold; ValueError, TypeError,
    AttributeError or OverflowError for a row that is not such a record.
    """
    if not 1 <= len(rows) <= MAX_ROWS:
        raise ValueError(f"a batch of {kind} holds 1 to {MAX_ROWS} rows, not {len(rows)}")
    raw = _ipc_stream(kind, rows)
    body = zstandard.ZstdCompressor(level=3, write_content_size=True, write_checksum=True).compress(raw)
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
    )


def _ipc_stream(kind: str, rows: Sequence[Any]) -> bytes:
    columns = wire_columns(KINDS[kind].record)
    children = [_array(column, list(map(attrgetter(column.name), rows))) for column in columns]
    out = io.BytesIO()
    with ipc.StreamWriter.from_writable(out) as writer:
        writer.write_stream(na.c_array_stream(na.c_array_from_buffers(_schema(kind), len(rows), [None], children=children)))
    return out.getvalue()


@cache
def _schema(kind: str) -> Any:
    return na.c_schema(na.struct({column.name: _type(column) for column in wire_columns(KINDS[kind].record)}, nullable=False))


def _type(column: Column) -> na.Schema:
    if column.repeated:
        return na.list_(_element(column.type), nullable=column.nullable)
    return _element(column.type, nullable=column.nullable)


def _array(column: Column, values: list[Any]) -> Any:
    if not column.repeated:
        return _values(column.type, values, nullable=column.nullable)
    offsets = array("i", accumulate(map(len, values), initial=0))
    items = _values(column.type, [item for value in values for item in value])
    return na.c_array_from_buffers(na.list_(_element(column.type)), len(values), [None, offsets], children=[items])


def _values(kind: str, values: list[Any], *, nullable: bool = False) -> Any:
    """Makes one Arrow array. Where not nullable, a None among the values fails in making the buffer."""
    nulls, validity = values.count(None) if nullable else 0, None
    if nulls:
        validity = na.c_buffer([value is not None for value in values], na.bool_())
        values = [_FILLERS[kind] if value is None else value for value in values]
    return na.c_array_from_buffers(_element(kind), len(values), [validity, *_BUFFERS[kind](values)], null_count=nulls)


@cache
def _element(kind: str, *, nullable: bool = True) -> na.Schema:
    return na.timestamp("us", "UTC", nullable=nullable) if kind == "timestamp" else _TYPES[kind](nullable)


def _times(values: list[datetime]) -> list[Any]:
    """Most rows of a batch share a few times."""
    converted = {value: micros(value) for value in set(values)}
    return [array("q", [converted[value] for value in values])]


def _binaries(values: list[bytes]) -> list[Any]:
    return [array("i", accumulate(map(len, values), initial=0)), b"".join(values)]


def _flags(values: list[bool]) -> list[Any]:
    if not {True, False}.issuperset(values):
        raise TypeError(f"neither true nor false among {values[:20]}")
    return [na.c_buffer(values, na.bool_())]


_TYPES = {"string": na.string, "int64": na.int64, "float64": na.float64, "bool": na.bool_, "binary": na.binary}
_FILLERS = {"string": "", "int64": 0, "float64": 0.0, "bool": False, "timestamp": from_micros(0), "binary": b""}
_BUFFERS: dict[str, Callable[[list[Any]], list[Any]]] = {
    "string": lambda values: _binaries([value.encode() for value in values]),
    "int64": lambda values: [array("q", values)],
    "float64": lambda values: [array("d", values)],
    "bool": _flags,
    "timestamp": _times,
    "binary": _binaries,
}
