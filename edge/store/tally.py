"""Tells whether the numbers that a store keeps of itself are those that it wrote: its state, its counters, and what it dropped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zlib import crc32

if TYPE_CHECKING:
    from edge.store.connection import Connection

_NAME = "tally"


def write(connection: Connection) -> None:
    """Writes the checksum of the numbers as they are within this commit."""
    connection.execute(f"insert or replace into state values ('{_NAME}', ?)", (_tally(connection),))


def is_ours(connection: Connection) -> bool:
    """Says whether this version wrote the numbers, whatever the header says: earlier ones have no tally, a later one has another."""
    has_all = connection.execute("select count(*) from sqlite_schema where name in ('state', 'thinned')").fetchone()[0] == 2
    return bool(has_all and _written(connection) == _tally(connection))


def is_right(connection: Connection) -> bool:
    """Says whether they are as they were written last. A store of an earlier version has none, and is believed."""
    written = _written(connection)
    return written is None or bool(written == _tally(connection))


def _written(connection: Connection) -> Any:
    row = connection.execute("select value from state where name = ?", (_NAME,)).fetchone()
    return row[0] if row else None


def _tally(connection: Connection) -> int:
    queries = (
        f"select name, value from state where name <> '{_NAME}' order by name",
        "select name, value from counters order by name",
        "select count(*), total(first), total(last) from dropped",
        "select count(*), total(first), total(last) from thinned",
    )
    return crc32(repr([connection.execute(query).fetchall() for query in queries]).encode())
