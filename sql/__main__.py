"""`tinybeam sql` brings a warehouse to what sql/ says, checks it, asks it, loads the registry.

Exit codes: 0 done, 1 failed or found wanting, 2 called wrongly.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from google.api_core.exceptions import GoogleAPICallError
from google.cloud import bigquery

from program.settings import ConfigError
from schemas.arrow import Column
from schemas.registry import Registry
from schemas.registry_tables import registry_of
from schemas.registry_toml import toml
from sql import application, present, promotion, registry, verification
from sql.connection import connection, open_client
from sql.questions import ParameterError, ask
from sql.scripts import ASKING, CREATING, Script, ScriptError, scripts
from sql.service import ServiceError, local_host, reason

_EXPECTED = (ServiceError, application.ApplyError, ConfigError, ScriptError)


@click.group(no_args_is_help=True)
def cli() -> None:
    """Apply, check and ask the warehouse: dataset `tinybeam` of a BigQuery project.

    Set BIGQUERY_EMULATOR_HOST=http://127.0.0.1:PORT to use a local warehouse server instead of BigQuery.
    """


@cli.command()
@connection
@click.option("--dry_run", is_flag=True, help="Say what would be done, do nothing.")
def apply(project: str | None, location: str | None, wait_seconds: float, dry_run: bool) -> None:
    """Create the dataset and its tables, add new columns, replace functions and views. May be repeated; drops nothing."""
    client = open_client(project, location, wait_seconds)
    try:
        steps = application.plan(client, location)
        for step in steps:
            click.echo(f"would {step.action}" if dry_run else step.action)
            if not dry_run:
                application.run(client, step)
    except _EXPECTED as error:
        raise click.ClickException(str(error)) from error
    except GoogleAPICallError as error:
        raise click.ClickException(reason(error)) from error


@cli.command()
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
def check(
    names: tuple[str, ...], project: str | None, location: str | None, wait_seconds: float, parameters: tuple[str, ...], offline: bool
) -> None:
    """Parse every SQL file; with a project also look up every column and run the checks of sql/checks/ on the facts.

    With NAMES, only those files.
    """
    files = _chosen(names, scripts(*CREATING, *ASKING))
    try:
        faults = [*verification.grammar(files), *verification.habits(files)]
        if (project or local_host()) and not offline:
            client = open_client(project, location, wait_seconds)
            faults += verification.columns(client, files, datetime.now(UTC))
            faults += [] if faults else _violations(client, files, _pairs(parameters))
    except ImportError as error:
        raise click.ClickException("sqlfluff is not installed: pip install 'tinybeam[dev]'") from error
    except _EXPECTED as error:
        raise click.ClickException(str(error)) from error
    for fault in faults:
        click.echo(f"{fault.path}: {fault.text}", err=True)
    if faults:
        raise click.exceptions.Exit(1)
    click.echo(f"{len(files)} files are sound")


@cli.command()
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
def query(
    name: str | None, project: str | None, location: str | None, wait_seconds: float, parameters: tuple[str, ...], form: str | None
) -> None:
    """Ask the question NAME of sql/queries/. Without NAME: list the questions and their parameters."""
    if name is None:
        click.echo("\n".join(_catalogue()))
        return
    [script] = _chosen([name], scripts("queries"))
    client = open_client(project, location, wait_seconds)
    try:
        answer = ask(client, script, _pairs(parameters), datetime.now(UTC))
    except ParameterError as error:
        raise click.UsageError(str(error)) from error
    except GoogleAPICallError as error:
        raise click.ClickException(f"{reason(error)} (was `tinybeam sql apply` run on this project?)") from error
    click.echo(_rendered([field.name for field in answer.schema], [dict(row) for row in answer], form))


@cli.command("registry")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@connection
@click.option("--export", type=click.Path(path_type=Path, dir_okay=False), help="Write the registry of the warehouse to this file instead.")
@click.option("--dry_run", is_flag=True, help="Say what would change, change nothing.")
def exchange_registry(
    file: Path | None, project: str | None, location: str | None, wait_seconds: float, export: Path | None, dry_run: bool
) -> None:
    """Replace the sites, devices and rules in the warehouse by those of the registry FILE (TOML), and say what changes.

    All of it or nothing; a running pipeline follows within its --registry_refresh. The tables sites_v1, devices_v1 and rules_v1 may also be
    edited by SQL: what a pipeline finds unsound in them it refuses as a whole, and keeps what it had. --export writes them to a file.

    \b
    Examples:
      tinybeam sql registry registry.toml --dry_run
      tinybeam sql registry --export registry.toml
    """
    if (file is None) == (export is None):
        raise click.UsageError("name a FILE to load, or --export FILE to write")
    try:
        if export:
            _export(open_client(project, location, wait_seconds), export)
        elif file:
            content = Registry.load(file)
            _load(open_client(project, location, wait_seconds), content, dry_run=dry_run)
    except _EXPECTED as error:
        raise click.ClickException(str(error)) from error
    except GoogleAPICallError as error:
        raise click.ClickException(f"{reason(error)} (was `tinybeam sql apply` run on this project?)") from error


@cli.command()
@click.argument("field")
@connection
@click.option("--dry_run", is_flag=True, help="Say how many rows of which days would be filled, change nothing.")
def promote(field: str, project: str | None, location: str | None, wait_seconds: float, dry_run: bool) -> None:
    """Fill the column FIELD from `extras` in the rows that were written before this version knew it.

    A gateway may be newer than the pipeline: what the pipeline did not know of its rows is kept in `extras`. Run `tinybeam sql apply`
    first, which adds the column. May be repeated: a value that is there is never changed. Rows of the last two hours are left for the
    next run.

    \b
    Examples:
      tinybeam sql promote clock_offset_ms --dry_run
      tinybeam sql promote clock_offset_ms
    """
    client = open_client(project, location, wait_seconds)
    until = datetime.now(UTC) - promotion.SETTLED
    try:
        for table, column in promotion.columns_of(field).items():
            _promote(client, table, column, until, dry_run=dry_run)
    except promotion.PromoteError as error:
        raise click.ClickException(str(error)) from error
    except GoogleAPICallError as error:
        raise click.ClickException(f"{reason(error)} (was `tinybeam sql apply` run on this project?)") from error


def _promote(client: bigquery.Client, table: str, column: Column, until: datetime, *, dry_run: bool) -> None:
    total = 0
    for of_day in promotion.days(client, table, column, until):
        unreadable = f", {of_day.unreadable} are no {column.type} and stay" if of_day.unreadable else ""
        click.echo(f"{table} {of_day.day:%Y-%m-%d}: {of_day.rows} rows{unreadable}")
        if of_day.rows and not dry_run:
            promotion.fill(client, of_day, column, until)
        total += of_day.rows
    click.echo(f"{table}.{column.name}: {total} rows {'would be' if dry_run else 'are'} filled")


def _load(client: bigquery.Client, content: Registry, *, dry_run: bool) -> None:
    sentences = registry.load(client, content, dry_run=dry_run)
    for sentence in sentences or ["nothing changes"]:
        click.echo(f"would be: {sentence}" if dry_run and sentences else sentence)
    click.echo(_counted(content))


def _export(client: bigquery.Client, file: Path) -> None:
    content = registry_of(registry.read(client))
    file.write_text(toml(content))
    click.echo(f"{file}: {_counted(content)}")


def _counted(content: Registry) -> str:
    return f"{len(content.devices)} devices on {len(content.sites)} sites, {len(content.rules)} rules"


def _chosen(names: Iterable[str], among: Iterable[Script]) -> list[Script]:
    """Returns the scripts of these names, or all without names."""
    known = {script.name: script for script in among}
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1) or sorted(known)
            raise click.UsageError(f"there is no {name!r}; try {' or '.join(near)}")
    return [known[name] for name in names or known]


def _catalogue() -> list[str]:
    lines = []
    for script in scripts("queries"):
        lines += [f"{script.name}: {script.question}"]
        lines += [
            f"    {parameter.name} ({parameter.type}, default {parameter.default}): {parameter.meaning}" for parameter in script.parameters
        ]
    return lines


def _pairs(parameters: tuple[str, ...]) -> Mapping[str, str]:
    for pair in parameters:
        if "=" not in pair:
            raise click.UsageError(f"--param wants NAME=VALUE, not {pair!r}")
    return dict(pair.split("=", 1) for pair in parameters)


def _violations(client: bigquery.Client, files: Iterable[Script], parameters: Mapping[str, str]) -> list[verification.Fault]:
    faults = []
    for script in (file for file in files if file.folder == "checks"):
        its_own = {name: value for name, value in parameters.items() if name in script.variables}
        rows = [dict(row) for row in ask(client, script, its_own, datetime.now(UTC))]
        faults += [verification.Fault(script.path, present.as_json([row])) for row in rows[:10]]
    return faults


def _rendered(names: list[str], rows: list[dict[str, Any]], form: str | None) -> str:
    if form == "json":
        return present.as_json(rows)
    return present.as_csv(names, rows) if form == "csv" else present.table(names, rows)


if __name__ == "__main__":
    cli(prog_name="tinybeam sql")
