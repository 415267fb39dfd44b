"""Makes rows of fact tables of row groups, and a batch's own row: everything that came, once, with its identity. Vectorised."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.elements import RowGroup, TableRows
from schemas import records
from schemas.arrow import schema, table_columns
from schemas.records import KINDS, TABLES


def facts(row_group: RowGroup) -> TableRows:
    """Returns the rows for the table of their kind. `site_id` must be there."""
    record, rows = KINDS[row_group.kind].record, row_group.rows
    columns = dict(zip(rows.schema.names, rows.columns, strict=True))
    if record is records.Reject:
        columns |= _gateways_rejects(rows)
    arrays = [_filled(columns.get(name), kind, rows.num_rows) for name, kind in _types(record)]
    return TableRows(TABLES[record].name, pa.RecordBatch.from_arrays(arrays, schema=table_schema(record)))


def rows_of(record: type, values: list[dict[str, Any]]) -> TableRows:
    """Makes rows from dicts, for the few that come one by one."""
    return TableRows(TABLES[record].name, pa.RecordBatch.from_pylist(values, schema=table_schema(record)))


@cache
def table_schema(record: type) -> pa.Schema:
    return schema(table_columns(record))


@cache
def _types(record: type) -> tuple[tuple[str, pa.DataType], ...]:
    return tuple((field.name, field.type) for field in table_schema(record))


def _gateways_rejects(rows: pa.RecordBatch) -> dict[str, pa.Array]:
    reject_id = pc.binary_join_element_wise(rows.column("batch_id"), rows.column("row").cast(pa.string()), ":")
    text = pa.array(map(as_text, rows.column("payloadBytes").to_pylist()), pa.string())
    return {"reject_id": reject_id, "payloadString": text}


def as_text(body: bytes, limit: int = 1_000_000) -> str | None:
    """Returns bytes as text if they are valid UTF-8 and not so many that holding them twice would burst a request."""
    try:
        return body.decode() if len(body) <= limit else None
    except UnicodeDecodeError:
        return None


def _filled(array: pa.Array | None, kind: pa.DataType, length: int) -> pa.Array:
    """Fills a column that the batch does not have: with null, or no elements."""
    if array is not None:
        return array
    return pa.array(_empties(length), kind) if pa.types.is_list(kind) else pa.nulls(length, kind)


def _empties(length: int) -> Iterable[list[Any]]:
    return ([] for _ in range(length))
