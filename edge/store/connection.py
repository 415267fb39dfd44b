"""Connects to SQLite, to write or only to look."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol


class Cursor(Protocol):
    """Hands over what a statement returned."""

    def fetchall(self) -> list[Any]: ...
    def fetchone(self) -> Any: ...


class Connection(Protocol):
    """Executes statements: what the store needs of sqlite3.Connection in autocommit mode. Its errors are sqlite3's."""

    @property
    def in_transaction(self) -> bool: ...
    def execute(self, sql: str, parameters: Sequence[Any] = ..., /) -> Cursor: ...
    def executemany(self, sql: str, parameters: Iterable[Sequence[Any]], /) -> Any: ...
    def close(self) -> None: ...


def connect(path: Path) -> Connection:
    return sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=0)


def connect_to_look(path: Path) -> Connection:
    """Connects so that nothing can be written, not even what a log holds. Where there is no log nobody writes, and none is made."""
    mode = "mode=ro" if path.with_name(path.name + "-wal").exists() else "immutable=1"
    return sqlite3.connect(f"{path.absolute().as_uri()}?{mode}", uri=True, isolation_level=None, timeout=0)
