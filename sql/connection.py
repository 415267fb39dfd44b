"""Gives every command with a warehouse its options, and a client that has answered once."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, TypeVar

import click
from google.cloud import bigquery

from sql.service import ServiceError, connect

_Command = TypeVar("_Command", bound=Callable[..., Any])


def connection(command: _Command) -> _Command:
    """Adds the options that every command with a warehouse takes."""
    command = click.option(
        "--project",
        envvar="GOOGLE_CLOUD_PROJECT",
        help="Project of the warehouse; environments are projects.  [default: $GOOGLE_CLOUD_PROJECT]",
    )(command)
    command = click.option("--location", help="Location of the dataset, for example EU.  [default: the project's]")(command)
    return click.option(
        "--wait", "wait_seconds", default=60.0, show_default=True, help="How long to wait for a warehouse that does not answer, in seconds."
    )(command)


def open_client(project: str | None, location: str | None, wait_seconds: float) -> bigquery.Client:
    """Returns a client whose service has answered. Raises ClickException."""
    try:
        return connect(project, location, wait_seconds, lambda text: click.echo(text, err=True), Random())
    except ServiceError as error:
        raise click.ClickException(str(error)) from error
