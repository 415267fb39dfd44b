"""Brings a project's datasets to what the SQL files say: creates what is missing, adds new columns, replaces functions and views.

May be repeated: a second run does nothing. Never drops or changes a table's column; a column that differs is refused before anything is
touched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial

from google.api_core.exceptions import GoogleAPICallError, NotFound
from google.cloud import bigquery

from schemas.arrow import Column
from schemas.records import TABLES
from schemas.warehouse import DATASET, StoredType, definition, differences
from sql import access
from sql.client import datasets_of
from sql.columns import columns
from sql.descriptions import describe
from sql.fingerprint import fingerprint, is_recorded, record
from sql.scripts import Script, in_order, scripts
from sql.service import reason
from sql.step import Step, statement
from sql.upkeep import Upkeep
from sql.upkeep import steps as upkeep_steps

_RECORDS = {table.name: record for record, table in TABLES.items()}


class ApplyError(RuntimeError):
    """The dataset cannot be brought to what the files say; the text names the object."""


def plan(client: bigquery.Client, location: str | None, upkeep: Upkeep | None = None, *, again: bool = False) -> list[Step]:
    """Plans what is to be done, in order; functions and views are left out if they and the tables are as the files say, unless `again`.

    Raises ApplyError for a table that cannot be brought along by adding columns.
    """
    create = [statement(f"create table {table.name}", table.text) for table in _absent(client)]
    add = [step for table in _tables() for step in _new_columns(client, table.name)]
    derived = _derived()
    changed = again or create or add or not is_recorded(client, _fingerprint(client, derived), [script.name for script in derived])
    replace = [_replacement(script) for script in derived] if changed else []
    kept = upkeep_steps(client, upkeep or Upkeep(), datetime.now(UTC))
    return [*_datasets(client, location), *create, *add, *kept, *replace, *_authorisation(client, replaced=bool(replace))]


def apply(client: bigquery.Client, location: str | None, progress: Callable[[str], object], *, again: bool = False) -> int:
    """Runs what `plan` says. Returns how many steps that was. Raises ApplyError."""
    steps = plan(client, location, again=again)
    carry_out(client, steps, progress)
    return len(steps)


def carry_out(client: bigquery.Client, steps: Sequence[Step], progress: Callable[[str], object]) -> None:
    """Runs every step of a plan, with its words to `progress` before it begins. Raises ApplyError."""
    for step in steps:
        progress(step.action)
        run(client, step)
    if steps:
        record(client, _fingerprint(client, _derived()))


def run(client: bigquery.Client, step: Step) -> None:
    """Runs one step. Raises ApplyError."""
    try:
        step.do(client)
    except GoogleAPICallError as error:
        raise ApplyError(f"{step.action}: {reason(error)}") from error


def _datasets(client: bigquery.Client, location: str | None) -> Iterator[Step]:
    """Yields what creates the datasets that are missing. BigQuery joins no datasets of two locations, so the second follows the first."""
    names = datasets_of(client)
    for name in dict.fromkeys((names.tables, names.of_views)):
        try:
            there: str = client.get_dataset(name).location
        except NotFound:
            where = f" in {location}" if location else ""
            yield Step(f"create dataset {name}{where}", partial(_create_dataset, name=name, location=location))
            continue
        if location and location.upper() != there.upper():
            raise ApplyError(
                f"dataset {name} is in {there} and cannot be moved to {location}: leave --location out or name another dataset"
            )
        location = there


def _create_dataset(client: bigquery.Client, *, name: str, location: str | None) -> None:
    dataset = bigquery.Dataset(f"{client.project}.{name}")
    dataset.location = location
    client.create_dataset(dataset, exists_ok=True)


def _authorisation(client: bigquery.Client, *, replaced: bool) -> Iterator[Step]:
    names = datasets_of(client)
    if names.apart and (replaced or not access.is_authorised(client)):
        yield Step(f"authorise {names.views} to read {names.tables}", access.authorise)


def _derived() -> list[Script]:
    """Returns what holds no rows of its own."""
    return in_order(scripts("functions", "views"))


def _replacement(script: Script) -> Step:
    def replace(client: bigquery.Client) -> None:
        client.query_and_wait(script.text)
        if script.folder == "views" and not script.is_materialized:
            describe(client, script.name)

    return Step(f"replace {script.folder.removesuffix('s')} {script.name}", replace)


def _fingerprint(client: bigquery.Client, derived: Iterable[Script]) -> str:
    """Returns that of the statements as they are sent, and of the descriptions of columns."""
    return fingerprint([*(datasets_of(client).sql(script.text) for script in derived), repr(columns()["views"])])


def _tables() -> list[Script]:
    return list(scripts("tables"))


def _absent(client: bigquery.Client) -> list[Script]:
    names = datasets_of(client)
    try:
        present = {f"{names.tables}.{table.table_id}" for table in client.list_tables(names.tables)}
    except NotFound:
        present = set()
    return [table for table in _tables() if names.path(table.name) not in present]


def _new_columns(client: bigquery.Client, name: str) -> Iterator[Step]:
    try:
        fields = client.get_table(datasets_of(client).path(name)).schema
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
    return statement(f"add column {name}.{column.name}", f"alter table {DATASET}.{name} add column if not exists {definition(column)}")
