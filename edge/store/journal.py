"""Keeps accepted readings in the order of their ids, until a cut closes their windows.

It is written sequentially, for the sake of SD cards. A row has the readings of a commit that belong to one interval.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate

import msgspec

from edge.store.connection import Connection
from edge.store.database import Database, add
from edge.store.faults import StoreError
from edge.store.seal import sealed

COMMITS_REMEMBERED = 512
"""How many commits back a re-delivered reading is recognised; more than a broker keeps in flight."""
_SWEPT_AT_ONCE = 500
_READ_AT_ONCE = 50

TABLES = """
create table journal (id integer primary key, window_end_us integer not null, body blob not null);
create table commits (last_id integer primary key, identities blob not null)
"""


class Entry(msgspec.Struct, frozen=True, gc=False):
    """Holds accepted readings, with the end of their window in microseconds since 1970. Its id is that of the last of them."""

    window_end_us: int
    body: bytes
    readings: int = 1


@dataclass(frozen=True, slots=True)
class JournalMark:
    """Marks the journal rows that a cut makes superfluous: windows up to this end, rows up to this id. Neither ever descends."""

    window_end_us: int
    journal_id: int


START = JournalMark(-(2**63), 0)
"""Nothing is closed."""


class Journal:
    """Reads and writes the journal. Not thread-safe: the store locks around it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.last_id = self._last()
        self._is_swept = False

    def append(self, entries: Sequence[Entry], dedup_keys: bytes) -> range:
        last_ids = list(accumulate((entry.readings for entry in entries), initial=self.last_id))[1:]
        ids = range(self.last_id + 1, last_ids[-1] + 1)
        with self._rereading(ids[-1]), self._database.transaction(is_tallied=False) as connection:
            seal, ends = self._database.seals.seal, [entry.window_end_us for entry in entries]
            bodies = [seal(entry.body, at, end) for at, end, entry in zip(last_ids, ends, entries, strict=True)]
            connection.executemany("insert into journal values (?, ?, ?)", list(zip(last_ids, ends, bodies, strict=True)))
            # The newest row is never deleted: the last id is read from it.
            connection.execute("insert into commits values (?, ?)", (ids[-1], seal(dedup_keys, ids[-1])))
            oldest = "delete from commits where last_id < (select last_id from commits order by last_id desc limit 1 offset ?)"
            connection.execute(oldest, (COMMITS_REMEMBERED - 1,))
        self.last_id = ids[-1]
        return ids

    @staticmethod
    def number_from(connection: Connection, journal_id: int) -> None:
        """Gives readings that come now ids behind this one, whatever became of those before."""
        connection.execute("insert or ignore into commits values (?, ?)", (journal_id, sealed(b"", journal_id)))

    def note_lost(self, count: int) -> None:
        """Counts readings that were acknowledged behind the last, and are not there; those to come get ids behind theirs."""
        with self._database.transaction() as connection:
            self.number_from(connection, self.last_id + count)
            add(connection, {"readings_lost": count})
        self.last_id += count

    def dedup_keys(self) -> list[int]:
        """Returns those of the last commits, oldest first. Raises StoreDamaged."""
        rows = self._database.read("select last_id, identities from commits order by last_id")
        with self._database.reading_seals() as unsealed:
            return [number for last_id, blob in rows for (number,) in struct.iter_unpack(">Q", unsealed(blob, last_id))]

    def after(self, last: int) -> list[tuple[int, int, bytes]]:
        """Returns the next rows that no cut has closed. Raises StoreDamaged."""
        closed = self.closed
        sql = "select id, window_end_us, body from journal where id > ? and not (window_end_us <= ? and id <= ?) order by id limit ?"
        rows = self._database.read(sql, last, closed.window_end_us, closed.journal_id, _READ_AT_ONCE)
        with self._database.reading_seals() as unsealed:
            return [(at, end, unsealed(body, at, end)) for at, end, body in rows]

    def close(self, connection: Connection, closed: JournalMark) -> None:
        """Marks rows as cut; they are swept out in small commits afterwards, since one large commit would swell the log."""
        before = self.closed
        if closed.window_end_us < before.window_end_us or closed.journal_id < before.journal_id:
            raise ValueError(f"{closed} descends from {before}")
        marks = [("closed_window_end_us", closed.window_end_us), ("closed_journal_id", closed.journal_id)]
        connection.executemany("insert or replace into state values (?, ?)", marks)
        self._is_swept = False

    def sweep(self) -> None:
        """Deletes closed rows. What a crash leaves is swept at the next start; `after` does not show it meanwhile. Raises StoreFull."""
        closed, done = self.closed, 0
        sql = "select id from journal where id > ? and id <= ? and window_end_us <= ? order by id limit ?"
        while not self._is_swept:
            ids = self._database.read(sql, done, closed.journal_id, closed.window_end_us, _SWEPT_AT_ONCE)
            if not ids:
                self._is_swept = True
                break
            with self._database.transaction(is_tallied=False) as connection:
                connection.executemany("delete from journal where id = ?", ids)
            done = ids[-1][0]

    @contextmanager
    def _rereading(self, last_id: int) -> Iterator[None]:
        """Reads the last id again after a fault: a commit that took place all the same is one, whatever struck behind it."""
        try:
            yield
        except StoreError:
            self.last_id = self._last()
            if self.last_id != last_id:
                raise

    def _last(self) -> int:
        return int(self._database.read("select coalesce(max(last_id), 0) from commits")[0][0])

    @property
    def closed(self) -> JournalMark:
        """Returns what cuts have closed."""
        state = dict(self._database.read("select name, value from state where name like 'closed%'"))
        return JournalMark(state["closed_window_end_us"], state["closed_journal_id"]) if state else START
