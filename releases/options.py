"""Holds what the commands of `tinybeam release` share: options, the time, and how what is wrong ends them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from keys.error import KeysError
from program import command_errors
from program.settings import ConfigError
from releases.error import ReleaseError

FILE = click.Path(path_type=Path)

folder = click.option(
    "--folder", type=FILE, default=Path("releases"), show_default=True, help="Folder of releases, as `tinybeam release init` made it."
)
model = click.argument("model")
reason = click.option("--reason", default="", help="Why, for whoever reads it later.")
as_json = click.option("--json", "as_json", is_flag=True, help="One JSON object instead of lines.")

errors_explained = command_errors.errors_explained(ReleaseError, KeysError, ConfigError)


def now() -> datetime:
    return datetime.now(UTC)
