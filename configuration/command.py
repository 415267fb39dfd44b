"""`tinybeam check`. Exit codes: 0 (nothing is wrong), 1 (something is), 2 (usage: a file cannot be read or is none of ours)."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from configuration.check import check
from configuration.editor_schema import editor_schema
from configuration.fleet import UsageError
from configuration.kinds import KINDS


@click.command(no_args_is_help=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("files", nargs=-1, type=click.Path(path_type=Path), metavar="FILE...")
@click.option("--json", "as_json", is_flag=True, help="One JSON array instead of lines.")
@click.option("--schema", type=click.Choice([kind.name for kind in KINDS]), help="Write the JSON Schema of a kind of file, for an editor.")
def cli(files: tuple[Path, ...], as_json: bool, schema: str | None) -> None:
    """Check configuration files, each by itself and all against each other: gateways, the registry, the notifier, or some of them.

    A file's sections tell what it is. The gateways are taken for all that report to the registry. Nothing is started or connected.

    \b
    Examples:
      tinybeam check gateway.toml registry.toml notify.toml
      tinybeam check gateways/*.toml registry.toml --json
      tinybeam check --schema gateway > gateway.schema.json
    """
    if schema:
        click.echo(editor_schema(next(kind for kind in KINDS if kind.name == schema)), nl=False)
        return
    try:
        findings = check(files)
    except UsageError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(2)
    except ModuleNotFoundError as error:
        raise click.ClickException(f"{error.name} is not installed: run `pip install 'tinybeam[edge]'`") from error
    if as_json:
        click.echo(json.dumps([{"file": str(finding.file), "sentence": finding.sentence} for finding in findings], indent=2))
    else:
        for finding in findings:
            click.echo(f"{finding.file}: {finding.sentence}")
        click.echo(f"{len(findings)} findings in {len(files)} files", err=True)
    sys.exit(1 if findings else 0)
