"""Commits batches and memory with whatever belongs to them, all or nothing, and knows what one commit has room for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from edge.store import outbox
from edge.store.batch import EncodedBatch
from edge.store.connection import Connection
from edge.store.database import Database
from edge.store.faults import CommitTooLarge
from edge.store.pages import pages
from edge.store.parts import Parts, remember

_BATCHES_RESERVE = 8
"""Pages that batches leave free, so that a drop and small changes always find room."""


class Commits:
    """Writes in parts what is too large for one commit. Not thread-safe: the store locks around it.

    Usage: `with commits.committing(rows, memory) as connection: ...`, and then, as before anything else is cut, `commits.finish()`.
    """

    def __init__(self, database: Database, max_row_bytes: int) -> None:
        self._database, self._max_row_bytes, self._parts = database, max_row_bytes, Parts(database)
        self.has_parts = True
        """There may be parts to bring to their place, of this process or an earlier one."""

    @contextmanager
    def committing(self, rows: Sequence[tuple[Any, ...]], memory: Mapping[str, bytes | None]) -> Iterator[Connection]:
        """Commits rows of the outbox, memory and what is done within. Raises CommitTooLarge if one row alone is."""
        bodies, small = [len(row[-1]) for row in rows], _sizes(memory)
        if (largest := max([*bodies, *small], default=0)) > self._max_row_bytes:
            raise CommitTooLarge(f"{self._database.path}: {largest} bytes in one row, which may have {self._max_row_bytes}")
        is_large = pages([*bodies, *small]) + _BATCHES_RESERVE > self._database.max_commit_pages
        if is_large:
            self.has_parts = True
            self._parts.write(outbox.INSERT, rows, bodies)
            self._parts.stage(memory)
        with self._database.transaction() as connection:
            if is_large:
                self._parts.make_valid(connection)
            else:
                connection.executemany(outbox.INSERT, rows)
                remember(connection, memory, self._database.seals)
            yield connection

    def finish(self) -> None:
        """Brings what was written in parts to its place, or removes it."""
        self._parts.finish()
        self.has_parts = False

    def needed(self, batches: Sequence[EncodedBatch], memory: Mapping[str, bytes | None], counters: Mapping[str, int]) -> int:
        """Returns the pages that a cut takes besides its batches."""
        small = _sizes(memory)
        # In parts there are two of each for a while.
        factor = 2 if pages([*small, *(len(batch.body) for batch in batches)]) > self._database.max_commit_pages else 1
        return factor * pages([*small, *map(len, counters)]) + _BATCHES_RESERVE

    def room(self, sizes: Sequence[int]) -> int:
        """Returns the pages that one commit of readings of these sizes may need. Raises CommitTooLarge if they are too many."""
        needed, most = pages(sizes), self._database.max_growth_pages
        if needed > most:
            raise CommitTooLarge(f"{self._database.path}: a commit of {needed} pages, which may have {most}")
        return needed


def _sizes(memory: Mapping[str, bytes | None]) -> list[int]:
    return [len(name) + len(value or b"") for name, value in memory.items()]
