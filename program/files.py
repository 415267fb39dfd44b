"""Looks at files that the user may not be allowed to look at, and writes files that are whole and durable, or not there."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path


def is_visible(file: Path) -> bool:
    """Says whether it is a file that this user may see: Path.is_file raises where a folder above is closed, until Python 3.14."""
    return os.path.isfile(file)  # noqa: PTH113


FileState = tuple[int, int, int]
Opener = Callable[[str, int], int]


def file_state(file: Path) -> FileState | None:
    """Returns what differs once a file was written or replaced; None if it cannot be seen."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def sync_folder(folder: Path) -> None:
    """Makes the names in a folder durable. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Makes a folder, and those that it lies in, so that a loss of power does not take them away again. Raises OSError."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    sync_folder(folder.parent)


def write_durably(path: Path, content: Iterable[bytes], unfinished: Path | None = None, opener: Opener | None = None) -> None:
    """Writes a file that is there whole, whenever the power goes or the disk is full, or not at all; until then it has the name
    `unfinished`, or a hidden one that nobody else has. `opener` makes it, as that of `open` does. Raises OSError.
    """
    unfinished = unfinished or path.with_name(f".{path.name}.{os.urandom(4).hex()}")
    try:
        with open(unfinished, "wb", opener=opener) as file:
            file.writelines(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    sync_folder(path.parent)
