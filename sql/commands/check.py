"""`tinybeam sql check` looks at the SQL files, and with a warehouse at the facts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

import click
from google.cloud import bigquery

from sql import present, verification
from sql.commands.choice import chosen, errors_explained, pairs
from sql.commands.estimates import price_per_tib, show
from sql.connection import Connection, connection
from sql.questions import ask
from sql.scripts import ASKING, CREATING, Script, scripts
from sql.verification import Fault


@click.command()
@click.argument("names", nargs=-1)
@connection
@click.option(
    "--param",
    "parameters",
    multiple=True,
    metavar="NAME=VALUE",
    help="Parameter of the checks that have it, for example from_time=2026-01-01.",
)
@click.option("--offline", is_flag=True, help="Look at the files only, even if a project is known.")
@click.option("--dry_run", is_flag=True, help="Say what each check of the facts would read and cost, run none.")
@price_per_tib
def check(
    names: tuple[str, ...], connection: Connection, parameters: tuple[str, ...], price_per_tib: float, *, offline: bool, dry_run: bool
) -> None:
    """Parse every SQL file; with a project also look up every column and run the checks of sql/checks/ on the facts.

    With NAMES, only those files.

    \b
    Examples:
      tinybeam sql check --offline
      tinybeam sql check --param from_time=2026-05-01 --dry_run
    """
    files = chosen(names, scripts(*CREATING, *ASKING))
    with errors_explained():
        if dry_run:
            show(connection.open(), [(file, _of(file, pairs(parameters))) for file in _checks(files)], price_per_tib)
            return
        faults = _faults(files, connection, pairs(parameters), offline=offline)
    for fault in faults:
        click.echo(f"{fault.path}: {fault.text}", err=True)
    if faults:
        raise click.exceptions.Exit(1)
    click.echo(f"{len(files)} files are sound")


def _faults(files: list[Script], connection: Connection, parameters: Mapping[str, str], *, offline: bool) -> list[Fault]:
    try:
        faults = [*verification.grammar(files), *verification.habits(files)]
    except ImportError as error:
        raise click.ClickException("sqlfluff is not installed: pip install 'tinybeam[dev]'") from error
    if connection.known and not offline:
        client = connection.open()
        faults += verification.columns(client, files, datetime.now(UTC))
        faults += [] if faults else _violations(client, files, parameters)
    return faults


def _violations(client: bigquery.Client, files: Iterable[Script], parameters: Mapping[str, str]) -> list[Fault]:
    faults = []
    for script in _checks(files):
        rows = [dict(row) for row in ask(client, script, _of(script, parameters), datetime.now(UTC))]
        faults += [Fault(script.path, present.as_json([row])) for row in rows[:10]]
    return faults


def _checks(files: Iterable[Script]) -> list[Script]:
    return [file for file in files if file.folder == "checks"]


def _of(script: Script, parameters: Mapping[str, str]) -> dict[str, str]:
    """Returns the parameters that the script has."""
    return {name: value for name, value in parameters.items() if name in script.variables}
