"""`tinybeam sql` brings a warehouse to what sql/ says, checks it, asks it, loads the registry.

Exit codes: 0 done, 1 failed or found wanting, 2 called wrongly.
"""

from __future__ import annotations

import click

from sql.commands.apply import apply
from sql.commands.check import check
from sql.commands.decision import add_decision
from sql.commands.promote import promote
from sql.commands.query import query
from sql.commands.reference import add_references
from sql.commands.registry import exchange_registry


@click.group(no_args_is_help=True)
def cli() -> None:
    """Apply, check and ask the warehouse: dataset `tinybeam` of a BigQuery project, or another by --dataset.

    Set BIGQUERY_EMULATOR_HOST=http://127.0.0.1:PORT to use a local warehouse server instead of BigQuery.
    """


for command in (apply, check, query, exchange_registry, add_references, add_decision, promote):
    cli.add_command(command)


if __name__ == "__main__":
    cli(prog_name="tinybeam sql")
