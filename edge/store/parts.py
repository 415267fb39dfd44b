"""Writes what is too large for one commit in several, so that all of it takes place, or nothing.

The parts are written where nobody looks: batches beyond the highest number given out, memory under names that no section has. One small
commit makes them valid; then memory is moved to its place. What a death leaves is finished or removed when the store is opened.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from edge.store.connection import Connection
from edge.store.database import Database
from edge.store.pages import PAGE_BYTES, filled_bytes
from edge.store.seal import Seals

STAGED, _BEHIND_STAGED = "*", "+"
"""Begin the names of rows of `memory` that are not valid yet, as that of no section does; and follow all of those."""
VALID = "staged"
"""Is the row of `state` that makes them valid."""
_MOVED_AT_ONCE = 500
_NEXT = "select name, value from memory where name >= ? and name < ? order by name limit ?"


class Parts:
    """Stages rows. Not thread-safe: the store locks around it, from the first part until `finish` has returned.

    Usage: `parts.write(sql, rows, sizes)`, `parts.stage(memory)`; in the commit that decides `parts.make_valid(connection)`; then
    `parts.finish()`.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def write(self, sql: str, rows: Sequence[Sequence[Any]], sizes: Sequence[int]) -> None:
        """Executes the statement for each row, in commits that the log has room for; `sizes` are the bytes of each."""
        for part in self._parts(sizes):
            with self._database.transaction(is_tallied=False) as connection:
                connection.executemany(sql, rows[part])

    def stage(self, memory: Mapping[str, bytes | None]) -> None:
        """Writes memory that is not valid yet; None deletes."""
        staged = {STAGED + name: b"" if value is None else b"=" + value for name, value in memory.items()}
        rows = [(name, self._database.seals.seal(value, name)) for name, value in staged.items()]
        self.write("insert or replace into memory values (?, ?)", rows, [len(name) + len(value) for name, value in rows])

    def make_valid(self, connection: Connection) -> None:
        connection.execute("insert or replace into state values (?, 1)", (VALID,))

    def finish(self) -> None:
        """Moves valid memory to its place; removes what never became valid."""
        is_valid = bool(self._database.read("select 1 from state where name = ?", VALID))
        while rows := self._database.read(_NEXT, STAGED, _BEHIND_STAGED, _MOVED_AT_ONCE):
            for part in self._parts([2 * (len(name) + len(value)) for name, value in rows]):
                with self._database.transaction(is_tallied=False) as connection:
                    if is_valid:
                        remember(connection, self._unstaged(rows[part]), self._database.seals)
                    connection.executemany("delete from memory where name = ?", [(name,) for name, _ in rows[part]])
        if is_valid:
            with self._database.transaction() as connection:
                connection.execute("delete from state where name = ?", (VALID,))

    def _unstaged(self, rows: Sequence[tuple[str, bytes]]) -> dict[str, bytes | None]:
        """Raises StoreDamaged."""
        with self._database.reading_seals() as unsealed:
            values = {name[1:]: unsealed(blob, name) for name, blob in rows}
        return {name: value[1:] if value else None for name, value in values.items()}

    def _parts(self, sizes: Sequence[int]) -> Iterator[slice]:
        """Yields slices that one commit has room for, or of one row."""
        start, filled, room = 0, 0, self._database.max_commit_pages * PAGE_BYTES
        for at, size in enumerate(map(filled_bytes, sizes)):
            if at > start and filled + size > room:
                yield slice(start, at)
                start, filled = at, 0
            filled += size
        if sizes:
            yield slice(start, len(sizes))


def remember(connection: Connection, memory: Mapping[str, bytes | None], seals: Seals) -> None:
    """Writes rows of memory to their place; None deletes."""
    connection.executemany("delete from memory where name = ?", [(name,) for name, value in memory.items() if value is None])
    rows = [(name, seals.seal(value, name)) for name, value in memory.items() if value is not None]
    connection.executemany("insert or replace into memory values (?, ?)", rows)
