"""Brings a project's dataset to what the SQL files say: creates what is missing, adds new columns, replaces functions and views.

May be repeated: a second run changes nothing. Never drops or changes a table's column; a column that differs is refused before anything
is touched.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from google.api_core.exceptions import GoogleAPICallError, NotFound
from google.cloud import bigquery

from schemas.arrow import Column, table_columns
from schemas.records import TABLES
from schemas.warehouse import DATASET, definition
from sql.scripts import Script, in_order, scripts
from sql.service import reason

_TYPES = {
    "string": "STRING",
    "int64": "INTEGER",
    "float64": "FLOAT",
    "bool": "BOOLEAN",
    "timestamp": "TIMESTAMP",
    "binary": "BYTES",
    "struct": "RECORD",
}
_RECORDS = {table.name: record for record, table in TABLES.items()}


class ApplyError(RuntimeError):
    """The dataset cannot be brought to what the files say; the text names the object."""


@dataclass(frozen=True, slots=True)
class Step:
    """A step is one statement to run, and what it does in words."""

    action: str
    statement: str


def plan(client: bigquery.Client, location: str | None) -> list[Step]:
    """Plans what is to be done, in order. Raises ApplyError for a table that cannot be brought along by adding columns."""
    create = [Step(f"create table {table.name}", table.text) for table in _absent(client)]
    add = [step for table in _tables() for step in _new_columns(client, table.name)]
    replace = [Step(f"replace {_kind(script)} {script.name}", script.text) for script in in_order(scripts("functions", "views"))]
    return [*_dataset(client, location), *create, *add, *replace]


def run(client: bigquery.Client, step: Step) -> None:
    """Runs the steps in order. Raises ApplyError."""
    try:
        client.query_and_wait(step.statement)
    except GoogleAPICallError as error:
        raise ApplyError(f"{step.action}: {reason(error)}") from error


def _dataset(client: bigquery.Client, location: str | None) -> Iterator[Step]:
    try:
        client.get_dataset(DATASET)
    except NotFound:
        where = f' options (location = "{location}")' if location else ""
        yield Step(f"create dataset {DATASET}", f"create schema if not exists {DATASET}{where}")


def _tables() -> list[Script]:
    return list(scripts("tables"))


def _absent(client: bigquery.Client) -> list[Script]:
    try:
        present = {table.table_id for table in client.list_tables(DATASET)}
    except NotFound:
        present = set()
    return [table for table in _tables() if table.name not in present]


def _new_columns(client: bigquery.Client, name: str) -> Iterator[Step]:
    try:
        present = {field.name: field for field in client.get_table(f"{DATASET}.{name}").schema}
    except NotFound:
        return
    for column in table_columns(_RECORDS[name]):
        if column.name not in present:
            yield _addition(name, column)
        elif differing := _difference(column, present[column.name]):
            raise ApplyError(
                f"table {name}, column {column.name} is {differing}: a column's type is never changed, make a new version of the table"
            )


def _addition(name: str, column: Column) -> Step:
    if not column.nullable and not column.repeated:
        raise ApplyError(f"table {name} lacks column {column.name}, which is not nullable: only nullable columns can be added")
    return Step(f"add column {name}.{column.name}", f"alter table {DATASET}.{name} add column if not exists {definition(column)}")


def _difference(column: Column, field: bigquery.SchemaField) -> str | None:
    standard = {"INT64": "INTEGER", "FLOAT64": "FLOAT", "BOOL": "BOOLEAN", "STRUCT": "RECORD"}
    wanted = (_TYPES[column.type], column.repeated)
    present = (standard.get(field.field_type, field.field_type), field.mode == "REPEATED")
    return None if wanted == present else f"{_words(present)} there and {_words(wanted)} here"


def _words(kind: tuple[str, bool]) -> str:
    return f"repeated {kind[0]}" if kind[1] else kind[0]


def _kind(script: Script) -> str:
    return script.folder.removesuffix("s")
