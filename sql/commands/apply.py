"""`tinybeam sql apply` brings a warehouse to what sql/ says."""

from __future__ import annotations

import click

from sql import application
from sql.commands.choice import errors_explained
from sql.connection import Connection, connection


@click.command()
@connection
@click.option("--dry_run", is_flag=True, help="Say what would be done, do nothing.")
def apply(connection: Connection, *, dry_run: bool) -> None:
    """Create the dataset and its tables, add new columns, replace functions and views. May be repeated; drops nothing."""
    with errors_explained():
        client = connection.open()
        for step in application.plan(client, connection.place.location):
            click.echo(f"would {step.action}" if dry_run else step.action)
            if not dry_run:
                application.run(client, step)
