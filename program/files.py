"""Looks at files that the user may not be allowed to look at, and writes files that are whole and durable, or not there."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path


def is_visible(file: Path) -> bool:
    """Says whether it is a file that this user may see: Path.is_file raises where a folder above is closed, until Python 3.14."""
    return os.path.isfile(file)  # noqa: PTH113


def sync_folder(folder: Path) -> None:
    """Makes the names in a folder durable. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_durably(path: Path, content: Iterable[bytes], unfinished: Path) -> None:
    """Writes a file that is there whole, whenever the power goes or the disk is full, or not at all; until then it has the name
    `unfinished`. Raises OSError.
    """
    try:
        with unfinished.open("wb") as file:
            file.writelines(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    sync_folder(path.parent)
