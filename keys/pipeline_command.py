"""The commands that let the pipeline check who cut a batch: its own key, and a gateway's entry in the registry."""

from __future__ import annotations

from pathlib import Path

import click

from keys import options, pipeline_key
from keys.registry_entry import registry_entry


@click.group(no_args_is_help=True)
def pipeline() -> None:
    """The key of the pipeline, by which it checks signatures of batches."""


@pipeline.command()
@options.folder
@options.errors_explained
def init(folder: Path) -> None:
    """Make the pipeline's key in FOLDER: pipeline.key for the pipeline alone, pipeline.pub for every gateway.

    \b
    Example:
      tinybeam keys pipeline init pipeline-key
    """
    private, public = pipeline_key.create(folder)
    click.echo(f"{private} is the pipeline's secret; {public} is for every gateway.")


@click.command()
@click.argument("certificate", type=click.Path(path_type=Path))
@options.errors_explained
def register(certificate: Path) -> None:
    """Print what the registry is to say of the gateway whose CERTIFICATE this is.

    \b
    Example:
      tinybeam keys register gateway-1.crt >> registry.toml
    """
    click.echo(registry_entry(certificate), nl=False)


COMMANDS = (pipeline, register)
