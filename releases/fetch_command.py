"""The command of who wants a release's files without a gateway, for a microcontroller say: verified as a gateway does."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import click

from releases import options
from releases.client import Client
from releases.rollout import Release
from releases.source import Source


@click.command()
@click.argument("source")
@options.model
@click.argument("number", type=click.IntRange(min=1))
@click.argument("target", type=click.Path(path_type=Path, file_okay=False))
@click.option("--root", type=options.FILE, required=True, help="The file that says whom to trust.")
@options.errors_explained
def fetch(source: str, model: str, number: int, target: Path, root: Path) -> None:
    """Fetch release NUMBER of MODEL from SOURCE, an address or a folder, into TARGET: what the holders of the keys have signed, or nothing.

    \b
    Example:
      tinybeam release fetch https://models.mill.example soil 3 firmware/soil --root root.json
    """
    with TemporaryDirectory() as folder:
        client = Client(Source(source), Path(folder), root, Path(folder) / "seen.json")
        client.refresh(options.now())
        client.fetch(Release(model, number), target)
    click.echo(f"{target}: release {number} of {model}, as it was signed")
