"""`tinybeam sql reference` brings what models were trained on to the warehouse, against which drift is measured."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from sql.commands.choice import errors_explained
from sql.connection import Connection, connection
from sql.model_references import NoReference, add, references


@click.command("reference")
@click.argument("bundles", nargs=-1, required=True, type=click.Path(path_type=Path, file_okay=False))
@connection
def add_references(bundles: Sequence[Path], connection: Connection) -> None:
    """Add how the inputs of the models in BUNDLES were distributed in what they were trained on, for the view drift. It may be repeated.

    \b
    Example:
      tinybeam sql reference models/soil models/vibration --project my-project
    """
    now = datetime.now(UTC)
    with errors_explained():
        try:
            found = [references(bundle, now) for bundle in bundles]
        except NoReference as error:
            raise click.ClickException(str(error)) from error
        client = connection.open()
        for rows in found:
            what = "added" if add(client, rows) else "there already"
            click.echo(f"{rows[0].model} {rows[0].model_version}: {len(rows)} inputs, {what}")
