"""Holds what the commands of `tinybeam release` share: options, the time, who may change a folder, and how what is wrong ends them."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click

from keys.error import KeysError
from program import command_errors
from program.settings import ConfigError
from releases.error import ReleaseError
from releases.repository import Repository

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


@contextmanager
def alone_in(folder: Path) -> Iterator[Repository]:
    """Yields a folder of releases that no other command changes meanwhile: one that comes waits, and says so. Raises ReleaseError."""
    try:
        opened = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise ReleaseError(f"{folder} holds no releases: `tinybeam release init` makes such a folder ({error.strerror})") from error
    try:
        _lock(opened, folder)
        yield Repository(folder)
    finally:
        os.close(opened)


def _lock(opened: int, folder: Path) -> None:
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        click.echo(f"Another command changes {folder}: this one waits until it has ended.", err=True)
        fcntl.flock(opened, fcntl.LOCK_EX)
