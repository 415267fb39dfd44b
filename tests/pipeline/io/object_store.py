"""A filesystem of Beam's that keeps objects in this process, as an object store does: no folders, an object is there when it is closed."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

from apache_beam.io.filesystem import BeamIOError, CompressionTypes, FileMetadata, FileSystem

OBJECTS: dict[str, bytes] = {}
"""By path. Beam makes a filesystem for every call, so what is stored is kept here."""

OUT_OF_ORDER: set[str] = set()
"""Beginnings of paths that cannot be opened or created for now."""


class MemoryObjects(FileSystem):
    """Is found by Beam for paths that begin with `memory://`."""

    @classmethod
    def scheme(cls) -> str:
        return "memory"

    def join(self, basepath: str, *paths: str) -> str:
        return "/".join([basepath.rstrip("/"), *paths])

    def split(self, path: str) -> tuple[str, str]:
        head, _, tail = path.rpartition("/")
        return head, tail

    def mkdirs(self, path: str) -> None:
        raise BeamIOError("an object store has no folders")

    def has_dirs(self) -> bool:
        return False

    def _list(self, dir_or_prefix: str) -> Iterator[FileMetadata]:
        return (FileMetadata(path, len(content)) for path, content in list(OBJECTS.items()) if path.startswith(dir_or_prefix))

    def create(self, path: str, mime_type: str = "", compression_type: str = CompressionTypes.AUTO) -> Any:
        _look(path)
        return _Object(path)

    def open(self, path: str, mime_type: str = "", compression_type: str = CompressionTypes.AUTO) -> Any:
        _look(path)
        if path not in OBJECTS:
            raise BeamIOError(f"{path} is not there")
        return io.BytesIO(OBJECTS[path])

    def copy(self, source_file_names: list[str], destination_file_names: list[str]) -> None:
        OBJECTS.update({new: OBJECTS[old] for old, new in zip(source_file_names, destination_file_names, strict=True)})

    def rename(self, source_file_names: list[str], destination_file_names: list[str]) -> None:
        OBJECTS.update({new: OBJECTS.pop(old) for old, new in zip(source_file_names, destination_file_names, strict=True)})

    def exists(self, path: str) -> bool:
        return path in OBJECTS

    def size(self, path: str) -> int:
        return len(OBJECTS[path])

    def last_updated(self, path: str) -> float:
        return 0.0

    def checksum(self, path: str) -> str:
        return ""

    def metadata(self, path: str) -> FileMetadata:
        return FileMetadata(path, len(OBJECTS[path]))

    def delete(self, paths: list[str]) -> None:
        if absent := [path for path in paths if OBJECTS.pop(path, None) is None]:
            raise BeamIOError("delete failed", dict.fromkeys(absent, "not there"))


def _look(path: str) -> None:
    if path.startswith(tuple(OUT_OF_ORDER)):
        raise BeamIOError(f"503 for {path}")


class _Object(io.BytesIO):
    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path

    def close(self) -> None:
        if not self.closed:
            OBJECTS[self._path] = self.getvalue()
        super().close()
