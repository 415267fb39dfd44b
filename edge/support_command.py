"""Runs `tinybeam edge support`: what a helper needs to know of a gateway, in one file without secrets."""

from __future__ import annotations

from pathlib import Path

import click

from edge import clock
from edge.command import configured, loaded
from edge.doctor import examine
from edge.support import write


@click.command()
@click.argument("archive", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE.zip")
@configured
@click.option("--payloads", is_flag=True, help="Also write the topics and bytes of rejects, which are what sensors sent.")
def support(archive: Path, file: Path, *, payloads: bool) -> None:
    """Write FILE.zip for whoever helps: version, settings, the doctor's findings, metrics, the last heartbeat and rejects.

    No key, password, user or payload is in it; look into it before you send it. Of a gateway that runs it has metrics (with health.port),
    but not the rows of its store.

    \b
    Example:
      tinybeam edge support gateway-1.zip --config gateway.toml
    """
    config = loaded(file)
    try:
        parts = write(archive, config, examine(file), clock.now(), payloads=payloads)
    except OSError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{archive}: {', '.join(parts)}")
