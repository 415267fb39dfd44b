"""Looks at files that the user may not be allowed to look at, and makes names of files durable."""

from __future__ import annotations

import os
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
