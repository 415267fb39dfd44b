"""`tinybeam sql promote` fills a column from what a newer gateway sent before this version knew it."""

from __future__ import annotations

from datetime import UTC, datetime

import click
from google.cloud import bigquery

from schemas.arrow import Column
from sql import promotion
from sql.commands.choice import errors_explained
from sql.connection import Connection, connection


@click.command()
@click.argument("field")
@connection
@click.option("--dry_run", is_flag=True, help="Say how many rows of which days would be filled, change nothing.")
def promote(field: str, connection: Connection, *, dry_run: bool) -> None:
    """Fill the column FIELD from `extras` in the rows that were written before this version knew it.

    A gateway may be newer than the pipeline: what the pipeline did not know of its rows is kept in `extras`. Run `tinybeam sql apply`
    first, which adds the column. May be repeated: a value that is there is never changed. Rows of the last two hours are left for the
    next run.

    \b
    Examples:
      tinybeam sql promote clock_offset_ms --dry_run
      tinybeam sql promote clock_offset_ms
    """
    client = connection.open()
    until = datetime.now(UTC) - promotion.SETTLED
    with errors_explained():
        for table, column in promotion.columns_of(field).items():
            _promote(client, table, column, until, dry_run=dry_run)


def _promote(client: bigquery.Client, table: str, column: Column, until: datetime, *, dry_run: bool) -> None:
    total = 0
    for of_day in promotion.days(client, table, column, until):
        unreadable = f", {of_day.unreadable} are no {column.type} and stay" if of_day.unreadable else ""
        click.echo(f"{table} {of_day.day:%Y-%m-%d}: {of_day.rows} rows{unreadable}")
        if of_day.rows and not dry_run:
            promotion.fill(client, of_day, column, until)
        total += of_day.rows
    click.echo(f"{table}.{column.name}: {total} rows {'would be' if dry_run else 'are'} filled")
