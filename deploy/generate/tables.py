"""Describes each table as BigQuery's API does: columns, types, modes, descriptions, partition and clustering."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from schemas.arrow import Column, table_columns
from schemas.records import TABLES
from schemas.warehouse import column_description, column_mode, stored_type, summary


def described() -> Iterator[dict[str, Any]]:
    for record, table in TABLES.items():
        yield {
            "name": table.name,
            "description": summary(record),
            "partition": table.partition,
            "cluster": list(table.cluster),
            "schema": [_field(column) for column in table_columns(record)],
        }


def _field(column: Column) -> dict[str, Any]:
    field = {
        "name": column.name,
        "type": stored_type(column).name,
        "mode": column_mode(column).upper(),
        "description": column_description(column),
    }
    return field | ({"fields": [_inner(inner) for inner in column.fields]} if column.fields else {})


def _inner(column: Column) -> dict[str, Any]:
    """Describes a field of a struct, of which the tables' DDL says name and type alone."""
    return {"name": column.name, "type": stored_type(column).name, "mode": "REPEATED" if column.repeated else "NULLABLE"}
