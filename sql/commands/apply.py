"""`tinybeam sql apply` brings a warehouse to what sql/ says."""

from __future__ import annotations

import click
from google.cloud import bigquery

from sql import application
from sql.commands.choice import errors_explained
from sql.connection import Connection, connection


@click.command()
@connection
@click.option("--dry_run", is_flag=True, help="Say what would be done, do nothing.")
@click.option("--again", is_flag=True, help="Replace functions and views even if they seem to be those of these files.")
def apply(connection: Connection, *, dry_run: bool, again: bool) -> None:
    """Create the datasets and tables, add new columns, replace functions and views. May be repeated; drops nothing.

    What is as these files say is left alone: a label of the dataset, tinybeam_objects, is the fingerprint of its functions and views.

    With --views_dataset, views and functions are in a dataset of their own that may read the tables: give analysts the role BigQuery Data
    Viewer on it, and none on the tables. Whoever runs this must own both datasets. Views of before stay where they were.

    \b
    Examples:
      tinybeam sql apply --location EU
      tinybeam sql apply --dataset farm --views_dataset farm_views --location europe-west1 --dry_run
    """
    with errors_explained():
        client, location = connection.open(), connection.target.location
        steps = _foretell(client, location, again=again) if dry_run else application.apply(client, location, click.echo, again=again)
        if not steps:
            click.echo("nothing to do: tables, functions and views are those of these files")


def _foretell(client: bigquery.Client, location: str | None, *, again: bool) -> int:
    """Says what would be done and returns of how many steps that is."""
    steps = application.plan(client, location, again=again)
    for step in steps:
        click.echo(f"would {step.action}")
    return len(steps)
