"""Reads and writes files for releases: a file is written whole or not at all, and what fails names it."""

from __future__ import annotations

from pathlib import Path

from program.files import write_durably
from releases.error import ReleaseError


def read(file: Path) -> bytes:
    """Raises ReleaseError."""
    try:
        return file.read_bytes()
    except OSError as error:
        raise ReleaseError(f"{file} cannot be read: {error.strerror}") from error


def write(file: Path, content: bytes) -> None:
    """Makes the folder, too, where there is none. Raises ReleaseError."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_durably(file, [content])
    except OSError as error:
        raise ReleaseError(f"{file} cannot be written: {error.strerror}") from error
