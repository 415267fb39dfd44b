"""Writes rows as an Arrow IPC stream, which pipelines before 0.3 read, and reads it. Needs nanoarrow: imported where it is asked for."""

from __future__ import annotations

import io
from array import array
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cache
from itertools import accumulate
from operator import attrgetter
from typing import Any

import nanoarrow as na
from nanoarrow import ipc

from schemas.arrow import Column, wire_columns
from schemas.envelope import from_micros, micros


def pack(record: type, rows: Sequence[Any], version: str) -> bytes:
    """Writes rows, which are such records, with the columns of a version. Raises ValueError, TypeError, AttributeError or OverflowError
    for a row that is not.
    """
    columns = wire_columns(record, version)
    children = [_array(column, list(map(attrgetter(column.name), rows))) for column in columns]
    out = io.BytesIO()
    with ipc.StreamWriter.from_writable(out) as writer:
        writer.write_stream(na.c_array_stream(na.c_array_from_buffers(_schema(columns), len(rows), [None], children=children)))
    return out.getvalue()


def unpack(content: bytes) -> list[dict[str, Any]]:
    """Reads the rows of a stream that `pack` wrote, one by one: for few of them."""
    rows: list[dict[str, Any]] = na.ArrayStream.from_readable(content).read_all().to_pylist()
    return rows


@cache
def _schema(columns: tuple[Column, ...]) -> Any:
    return na.c_schema(na.struct({column.name: _type(column) for column in columns}, nullable=False))


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
    return [array("q", map(micros, values))]


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
