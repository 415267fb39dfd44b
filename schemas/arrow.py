"""Reads a record's fields into a neutral description, from which both ends build their own Arrow schema.

The gateway writes buffers of them (schemas.columns); the pipeline builds pyarrow schemas (`schemas.arrow.schema`, pyarrow imported on use).
"""

from __future__ import annotations

import types
import typing
from dataclasses import fields, is_dataclass
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple, get_args, get_origin, get_type_hints

from schemas.records import SCHEMA_VERSION, TABLES, Doc, RowIdentity
from schemas.releases import is_before

if TYPE_CHECKING:
    import pyarrow as pa

_SCALARS = {str: "string", int: "int64", float: "float64", bool: "bool", datetime: "timestamp", bytes: "binary"}


class Column(NamedTuple):
    """Describes a column. `type` is string, int64, float64, bool, timestamp (microseconds, UTC), binary or struct; perhaps repeated."""

    name: str
    type: str
    nullable: bool
    repeated: bool
    doc: Doc
    fields: tuple[Column, ...] = ()


@cache
def columns(record: type) -> tuple[Column, ...]:
    """Returns every column of the record itself, in order."""
    hints = get_type_hints(record, include_extras=True)
    return tuple(_column(field.name, hints[field.name]) for field in fields(record))


@cache
def wire_columns(record: type, version: str = SCHEMA_VERSION) -> tuple[Column, ...]:
    """Returns the columns that a batch carries, of this version of the records or an earlier one: those of the gateway."""
    return tuple(column for column in columns(record) if column.doc.by == "gateway" and not is_before(version, column.doc.since))


@cache
def table_columns(record: type) -> tuple[Column, ...]:
    """Returns the columns of the record's BigQuery table: the row's identity first where the table has it."""
    return (columns(RowIdentity) if TABLES[record].identified else ()) + columns(record)


def schema(wanted: tuple[Column, ...]) -> pa.Schema:
    """Returns the pyarrow schema of these columns."""
    import pyarrow as pa

    return pa.schema([pa.field(column.name, _arrow_type(column), column.nullable) for column in wanted])


def _arrow_type(column: Column) -> pa.DataType:
    import pyarrow as pa

    if column.type != "struct":
        return arrow_type(column.type, repeated=column.repeated)
    struct = pa.struct([pa.field(inner.name, _arrow_type(inner), inner.nullable) for inner in column.fields])
    return pa.list_(struct) if column.repeated else struct


def arrow_type(kind: str, *, repeated: bool) -> pa.DataType:
    """Returns the pyarrow type of values of a column's `type`."""
    import pyarrow as pa

    arrow: pa.DataType = pa.timestamp("us", "UTC") if kind == "timestamp" else pa.type_for_alias(kind)
    return pa.list_(arrow) if repeated else arrow


def _column(name: str, hint: Any) -> Column:
    plain, doc = get_args(hint)
    nullable = isinstance(plain, types.UnionType) or get_origin(plain) is typing.Union
    if nullable:
        plain = next(arg for arg in get_args(plain) if arg is not type(None))
    repeated = get_origin(plain) is tuple
    if repeated:
        plain = get_args(plain)[0]
    if isinstance(plain, type) and is_dataclass(plain):
        return Column(name, "struct", nullable=nullable, repeated=repeated, doc=doc, fields=columns(plain))
    if get_origin(plain) is dict:
        return Column(name, "map", nullable=nullable, repeated=repeated, doc=doc)
    return Column(name, _SCALARS[plain], nullable=nullable, repeated=repeated, doc=doc)
