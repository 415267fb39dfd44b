"""Gives every command with a warehouse its options as one Connection, which opens a client that has answered once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from random import Random
from typing import Any

import click

from schemas.datasets import SETTINGS, Datasets
from sql.client import WarehouseClient
from sql.service import ServiceError, Target, connect, local_host

_OPTIONS = (
    click.option(
        "--project",
        envvar="GOOGLE_CLOUD_PROJECT",
        help="Project of the warehouse; environments are projects.  [default: $GOOGLE_CLOUD_PROJECT]",
    ),
    click.option(
        "--location",
        envvar="TINYBEAM_LOCATION",
        help="Location of the datasets, for example EU.  [default: $TINYBEAM_LOCATION, else the project's]",
    ),
    *(
        click.option(setting.flag, setting.field, envvar=setting.variable, default=setting.default, show_default=False, help=setting.help)
        for setting in SETTINGS
    ),
    click.option(
        "--maximum_bytes_billed",
        type=click.IntRange(1),
        envvar="TINYBEAM_MAXIMUM_BYTES_BILLED",
        metavar="BYTES",
        help="BigQuery refuses a statement that would bill more than this, and bills nothing for it.  "
        "[default: $TINYBEAM_MAXIMUM_BYTES_BILLED, else no limit]",
    ),
    click.option(
        "--wait", "wait_seconds", default=60.0, show_default=True, help="How long to wait for a warehouse that does not answer, in seconds."
    ),
)


@dataclass(frozen=True, slots=True)
class Connection:
    """Says which warehouse a command is for, and how long it waits for it."""

    target: Target
    wait_seconds: float

    @property
    def known(self) -> bool:
        """Returns whether anything says where the warehouse is."""
        return bool(self.target.project or local_host())

    def open(self) -> WarehouseClient:
        """Returns a client whose service has answered. Raises ClickException."""
        try:
            return connect(self.target, self.wait_seconds, lambda text: click.echo(text, err=True), Random())
        except ServiceError as error:
            raise click.ClickException(str(error)) from error


def connection(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options that every command with a warehouse takes; the command gets them as `connection`."""

    @wraps(command)
    def connected(wait_seconds: float, project: str | None, location: str | None, maximum_bytes_billed: int | None, **options: Any) -> Any:
        target = Target(project, location, _datasets(options), maximum_bytes_billed)
        return command(connection=Connection(target, wait_seconds), **options)

    for option in reversed(_OPTIONS):
        connected = option(connected)
    return connected


def _datasets(options: dict[str, Any]) -> Datasets:
    """Takes the names of datasets out of a command's options. Raises UsageError."""
    try:
        return Datasets(**{setting.field: options.pop(setting.field) for setting in SETTINGS})
    except ValueError as error:
        raise click.UsageError(str(error)) from error
