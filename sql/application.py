"""Brings a project's dataset to what the SQL files say: creates what is missing, adds new columns, replaces functions and views.

May be repeated: a second run does nothing. Never drops or changes a table's column; a column that differs is refused before anything is
touched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from google.api_core.exceptions import GoogleAPICallError, NotFound
from google.cloud import bigquery

from schemas.arrow import Column
from schemas.records import TABLES
from schemas.warehouse import DATASET, StoredType, definition, differences
from sql.fingerprint import fingerprint, is_recorded, record
from sql.scripts import Script, in_order, scripts
from sql.service import reason

_RECORDS = {table.name: record for record, table in TABLES.items()}


class ApplyError(RuntimeError):
    """The dataset cannot be brought to what the files say; the text names the object."""


@dataclass(frozen=True, slots=True)
class Step:
    """A step is one statement to run, and what it does in words."""

    action: str
    statement: str


def plan(client: bigquery.Client, location: str | None, *, again: bool = False) -> list[Step]:
    """Plans what is to be done, in order; functions and views are left out if they and the tables are as the files say, unless `again`.

    Raises ApplyError for a table that cannot be brought along by adding columns.
    """
    create = [Step(f"create table {table.name}", table.text) for table in _absent(client)]
    add = [step for table in _tables() for step in _new_columns(client, table.name)]
    derived = _derived()
    changed = again or create or add or not is_recorded(client, DATASET, _fingerprint(derived), [script.name for script in derived])
    replace = [Step(f"replace {_kind(script)} {script.name}", script.text) for script in derived] if changed else []
    return [*_dataset(client, location), *create, *add, *replace]


def apply(client: bigquery.Client, location: str | None, progress: Callable[[str], object], *, again: bool = False) -> int:
    """Runs what `plan` says, with each step's words to `progress` before it begins. Returns how many steps that was. Raises ApplyError."""
    steps = plan(client, location, again=again)
    for step in steps:
        progress(step.action)
        run(client, step)
    if steps:
        record(client, DATASET, _fingerprint(_derived()))
    return len(steps)


def run(client: bigquery.Client, step: Step) -> None:
    """Runs one step. Raises ApplyError."""
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


def _derived() -> list[Script]:
    """Returns what holds no rows of its own."""
    return in_order(scripts("functions", "views"))


def _fingerprint(derived: Iterable[Script]) -> str:
    return fingerprint(script.text for script in derived)


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
        fields = client.get_table(f"{DATASET}.{name}").schema
    except NotFound:
        return
    present = {field.name: StoredType(field.field_type, field.mode == "REPEATED") for field in fields}
    for difference in differences(_RECORDS[name], present):
        if difference.there:
            raise ApplyError(f"table {name}, {difference}: a column's type is never changed, make a new version of the table")
        yield _addition(name, difference.column)


def _addition(name: str, column: Column) -> Step:
    if not column.nullable and not column.repeated:
        raise ApplyError(f"table {name} lacks column {column.name}, which is not nullable: only nullable columns can be added")
    return Step(f"add column {name}.{column.name}", f"alter table {DATASET}.{name} add column if not exists {definition(column)}")


def _kind(script: Script) -> str:
    return script.folder.removesuffix("s")
