"""`tinybeam dash`: the live page. Exit codes: 0 stopped, 1 failed, 2 called wrongly."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from dash.data.viewer import Viewer
from dash.settings import load
from program import logs
from program.settings import ConfigError, is_local
from sql.connection import Connection, connection


@click.command()
@connection
@click.option("--listen", default="127.0.0.1", show_default=True, help="Address that it listens at; another one needs --config.")
@click.option("--port", type=click.IntRange(0, 65_535), default=8700, show_default=True, help="Port that it listens at; 0: a free one.")
@click.option("--config", "file", type=click.Path(path_type=Path), help="File that says how people sign in, and who sees what.")
@click.option("--site", "sites", multiple=True, help="Show this site alone; may be repeated. Only without --config.")
@click.option(
    "--keep_seconds", type=click.FloatRange(1, 3600), default=30.0, show_default=True, help="For so long an answer is shown again."
)
@logs.options
def cli(connection: Connection, listen: str, port: int, file: Path | None, sites: tuple[str, ...], keep_seconds: float) -> None:
    """Show the warehouse on a live page, until Ctrl-C: what needs doing today, fields, machines, alerts and the fleet.

    It reads, and writes nothing but what people answer to alerts. It is for this machine alone, unless --config says how a proxy signs
    people in.

    \b
    Examples:
      tinybeam dash --project my-project
      tinybeam dash --project my-project --site north
      tinybeam dash --project my-project --listen 0.0.0.0 --config dash.toml
    """
    if file is None and not is_local(listen):
        raise click.UsageError(f"--listen {listen} is not this machine alone: name a --config with [sign_in], and a proxy in front of it")
    if file and sites:
        raise click.UsageError("--site is for this machine alone: with --config, say in the file who sees which sites")
    from dash.data.warehouse import Warehouse
    from dash.server.app import Dash
    from dash.server.serving import serve
    from dash.server.sign_in import BehindProxy, ThisMachine
    from labels.stores import WarehouseLabels

    try:
        sign_in = BehindProxy(load(file)) if file else ThisMachine(Viewer(sites or None))
    except ConfigError as error:
        raise click.ClickException(str(error)) from error
    client = connection.open()
    app = Dash(Warehouse(client, keep_seconds), WarehouseLabels(client), sign_in, lambda: datetime.now(UTC)).app(
        ["*"] if file else ["127.0.0.1", "localhost", "[::1]"]
    )
    serve(app, listen, port, lambda address: click.echo(f"dash: {address}; Ctrl-C stops it", err=True))
