"""Writes the DDL of a record's BigQuery table and the page that describes it, both materialised by `python -m schemas`."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from schemas.arrow import Column, columns, table_columns
from schemas.records import KINDS, TABLES, Table

DATASET = "tinybeam"
"""The dataset that all SQL names, and that holds everything unless a setting says otherwise; environments are projects."""
FOREVER = "timestamp '9000-01-01'"
"""The end of a time without end, in SQL."""
ALL_TIME = f"timestamp '1900-01-01', {FOREVER}"
"""The arguments with which a function NAME_between is asked for all time."""

_STORED_TYPES = {
    "string": "STRING",
    "int64": "INTEGER",
    "float64": "FLOAT",
    "bool": "BOOLEAN",
    "timestamp": "TIMESTAMP",
    "binary": "BYTES",
    "struct": "RECORD",
}
_SYNONYMS = {"INT64": "INTEGER", "FLOAT64": "FLOAT", "BOOL": "BOOLEAN", "STRUCT": "RECORD"}
_TYPES = {"string": "string", "int64": "int64", "float64": "float64", "bool": "bool", "timestamp": "timestamp", "binary": "bytes"}


class StoredType(NamedTuple):
    """Is a column's type as BigQuery's API tells it."""

    name: str
    repeated: bool

    def __str__(self) -> str:
        return f"repeated {self.name}" if self.repeated else self.name


class Difference(NamedTuple):
    """Says in what a table differs from its record; `there` is None if it has no such column."""

    column: Column
    there: StoredType | None

    def __str__(self) -> str:
        if self.there is None:
            return f"lacks column {self.column.name}"
        return f"column {self.column.name} is {self.there} there and {stored_type(self.column)} here"


def differences(record: type, present: Mapping[str, StoredType]) -> Iterator[Difference]:
    """Yields the columns that the record's table lacks or has with another type. What a newer table has besides is no difference."""
    for column in table_columns(record):
        there = present.get(column.name)
        if there is None or there._replace(name=_SYNONYMS.get(there.name, there.name)) != stored_type(column):
            yield Difference(column, there)


def ddl(record: type) -> str:
    """Returns the GoogleSQL that creates the record's table if it is not there."""
    table = TABLES[record]
    body = ",\n".join(f"  {definition(column)}" for column in table_columns(record))
    return (
        "-- Generated from schemas/records/ by `python -m schemas`. Do not edit.\n"
        f"create table if not exists {DATASET}.{table.name} (\n{body}\n)\n{_layout(table)}"
        f"options (description = {json.dumps(summary(record))});\n"
    )


def page(record: type) -> str:
    """Returns the Markdown reference of the record's table, or of the record alone if it has none."""
    title = TABLES[record].name if record in TABLES else record.__name__
    wanted = table_columns(record) if record in TABLES else columns(record)
    rows = "".join(map(_line, wanted))
    return (
        "<!-- Generated from schemas/records/ by `python -m schemas`. Do not edit. -->\n"
        f"# {title}\n\n{inspect.getdoc(record)}\n\n{_placing(record)}"
        "| column | type | mode | unit | written by | meaning |\n|---|---|---|---|---|---|\n" + rows
    )


def index() -> str:
    """Returns the Markdown list of every page."""
    rows = "".join(f"| [{table.name}]({table.name}.md) | {summary(record)} |\n" for record, table in TABLES.items())
    return (
        "<!-- Generated from schemas/records/ by `python -m schemas`. Do not edit. -->\n"
        "# Tables\n\nTables are append-only and versioned; query the views of `sql/views/`, which have no version.\n"
        "What a sensor's message becomes first, in the gateway, is a [reading in its journal](JournalReading.md).\n\n"
        "| table | what a row is |\n|---|---|\n" + rows
    )


def summary(record: type) -> str:
    """Returns the first line of the record's docstring."""
    return (inspect.getdoc(record) or "").splitlines()[0]


def definition(column: Column) -> str:
    """Returns the GoogleSQL that defines one column, as in `create table` and `alter table add column`."""
    return f"`{column.name}` {sql_type(column)}{_constraint(column)} options (description = {_quoted(column)})"


def sql_type(column: Column) -> str:
    """Returns GoogleSQL's name of the column's type."""
    if column.type == "struct":
        sql = "struct<" + ", ".join(f"`{inner.name}` {sql_type(inner)}" for inner in column.fields) + ">"
    elif column.type == "map":
        return "map<string, float64>"
    else:
        sql = _TYPES[column.type]
    return f"array<{sql}>" if column.repeated else sql


def stored_type(column: Column) -> StoredType:
    """Returns the column's type as BigQuery's API tells it."""
    return StoredType(_STORED_TYPES[column.type], column.repeated)


def _line(column: Column) -> str:
    return f"| `{column.name}` | {sql_type(column)} | {column_mode(column)} | {column.doc.unit} | {column.doc.by} | {column.doc.text} |\n"


def column_mode(column: Column) -> str:
    """Returns `required`, `nullable` or `repeated`."""
    if column.repeated:
        return "repeated"
    return "nullable" if column.nullable else "required"


def _constraint(column: Column) -> str:
    return " not null" if column_mode(column) == "required" else ""


def column_description(column: Column) -> str:
    """Returns what the warehouse says of the column: its meaning, and its unit if it has one."""
    unit = f" [{column.doc.unit}]" if column.doc.unit else ""
    return column.doc.text + unit


def _quoted(column: Column) -> str:
    return json.dumps(column_description(column), ensure_ascii=False)


def _layout(table: Table) -> str:
    partition = f"partition by timestamp_trunc({table.partition}, day)\n" if table.partition else ""
    return partition + f"cluster by {', '.join(table.cluster)}\n"


def _placing(record: type) -> str:
    if record not in TABLES:
        return "It stays in the gateway's journal and is no table.\n\n"
    table = TABLES[record]
    partition = f"Partitioned by day of `{table.partition}`; clustered" if table.partition else "Clustered"
    kind = next((f" Carried by batches of kind `{kind}`." for kind, rows in KINDS.items() if rows.record is record), "")
    return f"{partition} by {', '.join(f'`{name}`' for name in table.cluster)}.{kind}\n\n"
