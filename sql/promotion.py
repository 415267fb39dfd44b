"""Fills a column from `extras` for the rows that were written before this version knew the column: a newer gateway had sent it already.

Each day of a table is one UPDATE of rows that lack the value and whose `extras` have it. A value that is there is never changed, so it may
be repeated, and a row stays one row of the same identity: appended anew it would be there twice. Rows of the last hours are left for the
next run: BigQuery changes no row that was just appended.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from google.cloud import bigquery

from schemas.arrow import Column, table_columns
from schemas.records import TABLES
from schemas.warehouse import DATASET

SETTLED = timedelta(hours=2)
"""Rows that were received later may still be where BigQuery changes none (its streaming buffer keeps them for up to 90 minutes)."""


class PromoteError(RuntimeError):
    """The field cannot be filled; the text says why."""


@dataclass(frozen=True, slots=True)
class DayOfTable:
    """Is a day of a table in which rows lack the value: how many, and in how many what `extras` has is no value of the column's type."""

    table: str
    day: datetime
    rows: int
    unreadable: int


def columns_of(field: str) -> dict[str, Column]:
    """Returns the column of each table that has it, and extras. Raises PromoteError if none has."""
    found = {
        table.name: column
        for record, table in TABLES.items()
        if table.identified
        for column in table_columns(record)
        if column.name == field and column.doc.by == "gateway"
    }
    if not found:
        raise PromoteError(f"no table of facts has a column {field!r} in this version: it is added in schemas/records/ first")
    if any(column.repeated for column in found.values()):
        raise PromoteError(f"{field} is a list, and lists are not filled yet")
    return found


def days(client: bigquery.Client, table: str, column: Column, until: datetime) -> Iterator[DayOfTable]:
    """Yields the days with rows that lack the value, the oldest first."""
    sql = (
        f"select timestamp_trunc({_partition(table)}, day) as day, countif({_value(column)} is not null) as readable, count(*) as found "
        f"from {DATASET}.{table} where {_lacks(column)} group by day order by day"
    )
    for row in client.query_and_wait(sql, job_config=_parameters(until)):
        yield DayOfTable(table, row.day, row.readable, row.found - row.readable)


def fill(client: bigquery.Client, of: DayOfTable, column: Column, until: datetime) -> None:
    """Fills the column in the rows of one day."""
    time = _partition(of.table)
    sql = (
        f"update {DATASET}.{of.table} set {column.name} = {_value(column)} "
        f"where {time} >= @day and {time} < timestamp_add(@day, interval 1 day) and {_lacks(column)} and {_value(column)} is not null"
    )
    client.query_and_wait(sql, job_config=_parameters(until, of.day))


def _partition(table: str) -> str:
    partition = next(known.partition for known in TABLES.values() if known.name == table)
    assert partition
    return partition


def _lacks(column: Column) -> str:
    """Tells of a row that lacks the value and has one in extras."""
    return f"{column.name} is null and json_value(extras, '$.{column.name}') is not null and received_time < @until"


def _value(column: Column) -> str:
    """Casts as the pipeline writes extras: times in microseconds since 1970, bytes in base64, NaN as text, which is refused."""
    text = f"json_value(extras, '$.{column.name}')"
    if column.type == "timestamp":
        return f"timestamp_micros(safe_cast({text} as int64))"
    if column.type == "binary":
        return f"from_base64({text})"
    cast = f"safe_cast({text} as {column.type})"
    return f"if(is_nan({cast}) or is_inf({cast}), null, {cast})" if column.type == "float64" else cast


def _parameters(until: datetime, day: datetime | None = None) -> bigquery.QueryJobConfig:
    times = {"until": until} | ({"day": day} if day else {})
    return bigquery.QueryJobConfig(query_parameters=[bigquery.ScalarQueryParameter(name, "TIMESTAMP", at) for name, at in times.items()])
