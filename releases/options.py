"""Holds what the commands of `tinybeam release` share: options, the time, and how what is wrong ends them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import Any

import click

from keys.error import KeysError
from program.settings import ConfigError
from releases.error import ReleaseError

FILE = click.Path(path_type=Path)

folder = click.option(
    "--folder", type=FILE, default=Path("releases"), show_default=True, help="Folder of releases, as `tinybeam release init` made it."
)
model = click.argument("model")
reason = click.option("--reason", default="", help="Why, for whoever reads it later.")
as_json = click.option("--json", "as_json", is_flag=True, help="One JSON object instead of lines.")


def now() -> datetime:
    return datetime.now(UTC)


def told(command: Callable[..., None]) -> Callable[..., None]:
    """Lets a command say what is wrong in one line, and end with 2."""

    @wraps(command)
    def telling(*arguments: Any, **named: Any) -> None:
        try:
            command(*arguments, **named)
        except (ReleaseError, KeysError, ConfigError) as error:
            click.echo(f"Error: {error}", err=True)
            sys.exit(2)

    return telling
