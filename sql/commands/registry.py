"""`tinybeam sql registry` loads the registry into the warehouse, or writes it to a file."""

from __future__ import annotations

from pathlib import Path

import click
from google.cloud import bigquery

from schemas.registry import Registry
from schemas.registry_tables import registry_of
from schemas.registry_toml import toml
from sql import registry
from sql.commands.choice import errors_explained
from sql.connection import Connection, connection


@click.command("registry")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@connection
@click.option("--export", type=click.Path(path_type=Path, dir_okay=False), help="Write the registry of the warehouse to this file instead.")
@click.option("--dry_run", is_flag=True, help="Say what would change, change nothing.")
def exchange_registry(file: Path | None, connection: Connection, export: Path | None, *, dry_run: bool) -> None:
    """Replace the sites, devices, gateways and rules in the warehouse by those of the registry FILE (TOML), and say what changes.

    All of it or nothing; a running pipeline follows within its --registry_refresh. The tables sites_v1, devices_v1, gateways_v1 and
    rules_v1 may also be edited by SQL: what a pipeline finds unsound in them it refuses as a whole, and keeps what it had. --export writes
    them to a file.

    \b
    Examples:
      tinybeam sql registry registry.toml --dry_run
      tinybeam sql registry --export registry.toml
    """
    if (file is None) == (export is None):
        raise click.UsageError("name a FILE to load, or --export FILE to write")
    with errors_explained():
        if export:
            _export(connection.open(), export)
        elif file:
            content = Registry.load(file)
            _load(connection.open(), content, dry_run=dry_run)


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
