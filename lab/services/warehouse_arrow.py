"""Hands Arrow rows that are appended to local-bigquery to DuckDB as they are. Runs where warehouse_server.py does.

They would become Python objects and JSON, twice, at a millisecond a row. What DuckDB refuses, or what lacks a value that is required, takes
the long way, which names rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import duckdb
import pyarrow as pa


class ArrowRows(Sequence[dict[str, Any]]):
    """Holds the rows of an append request; they become objects only if somebody looks at one."""

    def __init__(self, batch: pa.RecordBatch, plain: Callable[[Any], Any]) -> None:
        self.batch, self._plain = batch, plain

    def __len__(self) -> int:
        return int(self.batch.num_rows)

    def __getitem__(self, index: Any) -> Any:
        return self._rows[index]

    @cached_property
    def _rows(self) -> list[dict[str, Any]]:
        return [self._plain(row) for row in self.batch.to_pylist()]


def as_arrow(write: Any) -> Any:
    """Returns a replacement of local-bigquery's write._decoder, which leaves Arrow rows as they are."""
    decoder = write._decoder  # noqa: SLF001

    def decoder_of(request: Any) -> Any:
        if "arrow_rows" not in request or not (serialized := request.arrow_rows.writer_schema.serialized_schema):
            return decoder(request)
        schema = pa.ipc.read_schema(pa.py_buffer(serialized))

        def decode(request: Any, fields: Any) -> ArrowRows:
            batch = pa.ipc.read_record_batch(pa.py_buffer(request.arrow_rows.rows.serialized_record_batch), schema)
            return ArrowRows(batch, write._plain)  # noqa: SLF001

        return decode

    return decoder_of


def inserting_arrow(write: Any, database: Any) -> Any:
    """Returns a replacement of local-bigquery's write._insert, which inserts sound Arrow rows at once."""
    insert = write._insert  # noqa: SLF001

    def insert_arrow(stream: Any, rows: Any) -> Any:
        if isinstance(rows, ArrowRows) and _is_whole(rows.batch, write.tables.columns(*stream.table)):
            write.tabledata.load(*stream.table)
            columns = ", ".join(map(database.quote, rows.batch.schema.names))
            with database.cursor() as cursor:
                cursor.register("appended_rows", rows.batch)
                try:
                    cursor.execute(f"insert into {write.tables.name(*stream.table)} ({columns}) select {columns} from appended_rows")
                except duckdb.Error:
                    return insert(stream, list(rows))
                finally:
                    cursor.unregister("appended_rows")
            return []
        return insert(stream, list(rows))

    return insert_arrow


def _is_whole(batch: pa.RecordBatch, fields: Sequence[Any]) -> bool:
    """Says whether a table has every column of the rows, and they every value that it requires."""
    names = {field.name for field in fields}
    needed = [field.name for field in fields if field.mode == "REQUIRED"]
    never_null = [*needed, *(field.name for field in fields if field.mode == "REPEATED" and field.name in batch.schema.names)]
    return (
        names.issuperset(batch.schema.names)
        and set(needed) <= set(batch.schema.names)
        and not any(batch.column(name).null_count for name in never_null)
    )
