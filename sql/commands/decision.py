"""`tinybeam sql decision` keeps what was decided about releases of models."""

from __future__ import annotations

from typing import BinaryIO

import click
import msgspec

from schemas.records import ReleaseDecision
from sql.commands.choice import errors_explained
from sql.connection import Connection, connection
from sql.insertion import insert


@click.command("decision")
@click.argument("source", type=click.File("rb"), default="-", metavar="[FILE]")
@connection
def add_decision(source: BinaryIO, connection: Connection) -> None:
    """Add a decision, as `tinybeam release advance --json` prints it, to the table release_decisions_v1. Added again it counts once.

    \b
    Example:
      tinybeam release advance soil --health health.json --json | tinybeam sql decision --project my-project
    """
    try:
        decision = msgspec.json.decode(source.read(), type=ReleaseDecision)
    except ValueError as error:
        raise click.ClickException(f"{source.name} holds no decision: {error}") from error
    with errors_explained():
        insert(connection.open(), [decision])
    click.echo(f"{decision.model} {decision.release}: {decision.action}")
