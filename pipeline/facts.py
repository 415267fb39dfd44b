"""Batch -> rows of its fact table, and the batch's own row: everything that came, once, with its identity. Vectorised."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.elements import Batch, Rows
from schemas import records
from schemas.arrow import schema, table_columns
from schemas.records import KINDS, TABLES


def facts(batch: Batch) -> Rows:
    """The rows for the table of the batch's kind. `site_id` must be there."""
    record = KINDS[batch.envelope.kind]
    made = _gateways_rejects(batch) if record is records.Reject else _placement(batch)
    columns = dict(zip(batch.rows.schema.names, batch.rows.columns, strict=True)) | made
    arrays = [_filled(columns.get(name), kind, batch.rows.num_rows) for name, kind in _types(record)]
    return Rows(TABLES[record].name, pa.RecordBatch.from_arrays(arrays, schema=table_schema(record)))


def receipt(batch: Batch) -> dict[str, Any]:
    """The batch's own row of batches_v1: that it came, when, and what the gateway said of it."""
    values = {name: getattr(batch.envelope, name, None) for name, _ in _types(records.Batch)}
    return values | {"received_time": batch.received_time, "body_bytes": batch.body_bytes}


def rows_of(record: type, values: list[dict[str, Any]]) -> Rows:
    """Rows from dicts, for the few that are made one by one."""
    return Rows(TABLES[record].name, pa.RecordBatch.from_pylist(values, schema=table_schema(record)))


@cache
def table_schema(record: type) -> pa.Schema:
    return schema(table_columns(record))


@cache
def _types(record: type) -> tuple[tuple[str, pa.DataType], ...]:
    return tuple((field.name, field.type) for field in table_schema(record))


def _placement(batch: Batch) -> dict[str, pa.Array]:
    return {
        "batch_id": _repeated(batch, batch.envelope.batch_id, pa.string()),
        "gateway_id": _repeated(batch, batch.envelope.gateway_id, pa.string()),
        "received_time": _repeated(batch, batch.received_time, pa.timestamp("us", "UTC")),
    }


def _gateways_rejects(batch: Batch) -> dict[str, pa.Array]:
    placement = _placement(batch)
    row = batch.rows.column("row").cast(pa.string())
    text = pa.array(map(as_text, batch.rows.column("payloadBytes").to_pylist()), pa.string())
    return placement | {"reject_id": pc.binary_join_element_wise(placement["batch_id"], row, ":"), "payloadString": text}


def as_text(body: bytes, limit: int = 1_000_000) -> str | None:
    """Bytes as text if they are valid UTF-8 and not so many that holding them twice would burst a request."""
    try:
        return body.decode() if len(body) <= limit else None
    except UnicodeDecodeError:
        return None


def _repeated(batch: Batch, value: object, kind: pa.DataType) -> pa.Array:
    return pa.repeat(pa.scalar(value, kind), batch.rows.num_rows)


def _filled(array: pa.Array | None, kind: pa.DataType, length: int) -> pa.Array:
    """A column that the batch does not have is empty: null, or no elements."""
    if array is not None:
        return array
    return pa.array(_empties(length), kind) if pa.types.is_list(kind) else pa.nulls(length, kind)


def _empties(length: int) -> Iterable[list[Any]]:
    return ([] for _ in range(length))
