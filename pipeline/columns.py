"""Brings received columns into the form of the contract: those of this version in their order, what is not known of it as JSON in `extras`.

Nullable columns that an older gateway does not send are null. Memory is bounded before it is used: by how many unknown values there are,
and how many bytes they can become as JSON.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.arrow import Column, schema, wire_columns
from schemas.envelope import MAX_RAW_BYTES
from schemas.records import KINDS

MAX_UNKNOWN_COLUMNS = 64
MAX_UNKNOWN_CELLS = 250_000
MAX_COLUMN_NAME = 128
MAX_EXTRAS_BYTES = MAX_RAW_BYTES
"""Of what is not known a batch may not become more as JSON than a body may hold."""

_EXTRAS = pa.field("extras", pa.string())
_FIRST_VERSION = "1.0"
_KEPT_TYPES = (pa.types.is_string, pa.types.is_binary, pa.types.is_boolean, pa.types.is_integer, pa.types.is_float32, pa.types.is_float64)
_ESCAPED = 6
"""How many characters JSON takes for a byte at most: \\u0000."""
_NUMBER = 26
"""How many characters a number takes at most, and what parts it from the next."""


class BadSchema(ValueError):
    """The columns are not those of a batch; the text says which and why."""


def conformed(received: pa.RecordBatch, kind: str, starts: Sequence[int]) -> pa.RecordBatch:
    """Returns `extras` and the wire's columns, by name and type. `starts` says where the rows of each batch begin. Raises BadSchema."""
    wanted = _wire_schema(kind)
    if received.schema.equals(wanted):  # the schema stays as it was sent, for rejects are made of it byte for byte
        return received.add_column(0, _EXTRAS, pa.nulls(received.num_rows, pa.string()))
    names = received.schema.names
    if len(set(names)) < len(names):
        raise BadSchema("two columns have the same name")
    columns = wire_columns(KINDS[kind].record)
    arrays = [_column(received, column, wanted.field(column.name).type) for column in columns]
    known = {column.name for column in columns}
    extras = _extras(received.select([name for name in names if name not in known]), starts)
    return pa.RecordBatch.from_arrays([extras, *arrays], schema=pa.schema([_EXTRAS, *wanted]))


@cache
def _wire_schema(kind: str) -> pa.Schema:
    """Returns the schema of a gateway of this version."""
    return schema(wire_columns(KINDS[kind].record))


def _column(received: pa.RecordBatch, column: Column, wanted: pa.DataType) -> pa.Array:
    if column.name not in received.schema.names:
        if not column.nullable and column.doc.since == _FIRST_VERSION:
            raise BadSchema(f"column {column.name} is missing")
        return _empty_lists(received.num_rows, wanted) if column.repeated else pa.nulls(received.num_rows, wanted)
    array = received.column(column.name)
    if array.type == wanted:
        return array
    if column.repeated and pa.types.is_list(array.type) and array.type.value_type == wanted.value_type:
        return array.cast(wanted)
    raise BadSchema(f"column {column.name} is {array.type}, not {wanted}")


def _empty_lists(count: int, wanted: pa.DataType) -> pa.Array:
    return pa.ListArray.from_arrays(pa.array(np.zeros(count + 1, np.int32)), pa.array([], wanted.value_type)).cast(wanted)


def _extras(unknown: pa.RecordBatch, starts: Sequence[int]) -> pa.Array:
    """Makes a JSON object per row of the columns that this version does not know. Only a newer gateway pays for it."""
    if not unknown.num_columns:
        return pa.nulls(unknown.num_rows, pa.string())
    for field in unknown.schema:
        if len(field.name) > MAX_COLUMN_NAME or not _is_kept(field.type):
            raise BadSchema(f"unknown column {field.name[:40]!r} of type {str(field.type)[:80]} cannot be kept")
    ends = [*starts[1:], unknown.num_rows]
    return pa.array((text for first, end in zip(starts, ends, strict=True) for text in _objects(unknown, first, end)), pa.string())


def _objects(unknown: pa.RecordBatch, first: int, end: int) -> Iterator[str]:
    """Writes the rows of one batch: what they become depends on no other batch."""
    of_batch = unknown.take(pa.array(range(first, end)))
    _check_growth(of_batch)
    return (json.dumps(row, default=_json, sort_keys=True) for row in _finite(of_batch).to_pylist())


def _check_growth(unknown: pa.RecordBatch) -> None:
    """Bounds what the columns of one batch can become."""
    if unknown.num_columns > MAX_UNKNOWN_COLUMNS or sum(map(_cells, unknown.columns)) > MAX_UNKNOWN_CELLS:
        raise BadSchema(f"too many unknown columns or values in them: {unknown.num_columns} columns")
    names = unknown.num_rows * sum(len(json.dumps(name)) + len(": , ") for name in unknown.schema.names)
    if names + sum(map(_json_bytes, unknown.columns)) > MAX_EXTRAS_BYTES:
        raise BadSchema(f"unknown columns could become more than {MAX_EXTRAS_BYTES} bytes of JSON")


def _cells(array: pa.Array) -> int:
    return len(array) + (len(array.flatten()) if pa.types.is_list(array.type) else 0)


def _json_bytes(array: pa.Array) -> int:
    """Returns how many bytes of JSON the values can become."""
    values = array.flatten() if pa.types.is_list(array.type) else array
    if not (pa.types.is_string(values.type) or pa.types.is_binary(values.type)):
        return _cells(array) * _NUMBER
    size: int = pc.sum(pc.binary_length(values)).as_py() or 0
    return _cells(array) * len('"", []') + size * (_ESCAPED if pa.types.is_string(values.type) else 2)


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
