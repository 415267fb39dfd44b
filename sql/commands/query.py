"""`tinybeam sql query` asks a question of sql/queries/."""

from __future__ import annotations

from datetime import UTC, datetime

import click
from google.cloud.bigquery.table import RowIterator

from sql import present
from sql.commands.choice import chosen, errors_explained, pairs
from sql.commands.estimates import price_per_tib, show
from sql.connection import Connection, connection
from sql.questions import ask
from sql.scripts import scripts


@click.command()
@click.argument("name", required=False)
@connection
@click.option(
    "--param",
    "parameters",
    multiple=True,
    metavar="NAME=VALUE",
    help="Value of a parameter; times as 2026-05-01, 2026-05-01T12:00:00Z or `now - 7 days`.",
)
@click.option("--json", "form", flag_value="json", help="Print a JSON list of objects.")
@click.option("--csv", "form", flag_value="csv", help="Print CSV with a header line.")
@click.option("--dry_run", is_flag=True, help="Say how many bytes the question would read and what that costs, ask nothing.")
@price_per_tib
def query(
    name: str | None, connection: Connection, parameters: tuple[str, ...], form: str | None, price_per_tib: float, *, dry_run: bool
) -> None:
    """Ask the question NAME of sql/queries/. Without NAME: list the questions and their parameters.

    \b
    Examples:
      tinybeam sql query driest_fields
      tinybeam sql query what_happened --param 'from_time=now - 2 days' --dry_run
      tinybeam sql query what_happened --maximum_bytes_billed 1000000000
    """
    if name is None:
        click.echo("\n".join(_catalogue()))
        return
    [script] = chosen([name], scripts("queries"))
    with errors_explained():
        if dry_run:
            show(connection.open(), [(script, pairs(parameters))], price_per_tib, as_json=form == "json")
        else:
            click.echo(_rendered(ask(connection.open(), script, pairs(parameters), datetime.now(UTC)), form))


def _catalogue() -> list[str]:
    lines = []
    for script in scripts("queries"):
        lines += [f"{script.name}: {script.question}"]
        lines += [
            f"    {parameter.name} ({parameter.type}, default {parameter.default}): {parameter.meaning}" for parameter in script.parameters
        ]
    return lines


def _rendered(answer: RowIterator, form: str | None) -> str:
    names, rows = [field.name for field in answer.schema], [dict(row) for row in answer]
    if form == "json":
        return present.as_json(rows)
    return present.as_csv(names, rows) if form == "csv" else present.table(names, rows)
