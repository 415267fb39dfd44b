"""Holds where releases are published: a folder, or a bucket of Cloud Storage, S3 or Azure, served by any server of files or by itself.

    place = opened("/srv/models")          # or "gs://bucket/models", "s3://bucket/models", "az://container/models"
    place.write("metadata/timestamp.json", content)

A file there is the old one or the new one, whole, whoever reads meanwhile and whatever ends the writing.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from releases import files
from releases.error import ReleaseError

SCHEMES = ("gs", "s3", "az")


class Place(Protocol):
    """Takes files by their names, with slashes. Both raise ReleaseError."""

    @property
    def name(self) -> str: ...

    def read(self, name: str) -> bytes | None:
        """Returns None where there is no such file."""

    def write(self, name: str, content: bytes) -> None: ...


class Folder:
    """Is a folder on this machine, or one that is mounted here."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def name(self) -> str:
        return str(self._path)

    def read(self, name: str) -> bytes | None:
        file = self._path / name
        return files.read(file) if file.is_file() else None

    def write(self, name: str, content: bytes) -> None:
        files.write(self._path / name, content)


def opened(target: str) -> Place:
    """Returns the place that a target names. Raises ReleaseError."""
    scheme, separator, _ = target.partition("://")
    if not separator:
        return Folder(Path(target))
    if scheme not in SCHEMES:
        raise ReleaseError(f"{target} is neither a folder nor an address that begins with {', '.join(f'{each}://' for each in SCHEMES)}")
    try:
        from releases.bucket import Bucket
    except ModuleNotFoundError as error:
        raise ReleaseError(f"{target} needs a client of buckets: pip install 'tinybeam[publish]'") from error
    return Bucket(target)
