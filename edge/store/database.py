"""Keeps one exclusive SQLite file, whose bytes, write-ahead log included, never exceed a bound.

What is committed survives kill -9 and power loss.

Sizes are kept by arithmetic, not by waiting for an error: `max_page_count` bounds the file, and the log is bounded by checkpointing
early; the store asks `max_commit_pages` before a commit and raises for a larger one.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from edge.store import tally
from edge.store.connection import Connection, connect
from edge.store.faults import DiskFault, StoreDamaged, StoreError, StoreFull, StoreKeyError, StoreLocked
from edge.store.pages import PAGE_BYTES
from edge.store.seal import BrokenSeal, Cipher, Seals, Undecryptable
from program.files import sync_folder

MIN_BYTES = 1 << 20
"""The smallest bound of a store."""
_MAX_LOG_PAGES = 8192
_APPLICATION = 0x54426D31
_VERSION, _MAX_VERSION = 3, 1000
"""1 had a journal row for each reading, 2 no seals; such stores are read, and become one of version 3."""
_UNSEALED = "unsealed"
"""Is the row of `state` of a store that was of version 2 once: some of its rows may have no seal."""
ATTEMPTED_TO = "attempted_to"
"""Is the row of `state` up to whose number all batches may have arrived."""
_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH}
"""What SQLite says of a damaged file. Our statements never change: one that it does not understand shows tables that nobody made."""
Unsealed = Callable[..., bytes]
"""Returns the bytes of a sealed blob, as edge.store.seal.Seals.open does."""


class Database:
    """Reads and commits within the bound. Not thread-safe: the store locks around it.

    Usage: `with database.transaction() as connection: connection.execute(...)`.
    """

    def __init__(  # noqa: PLR0913 - the last three have defaults that hold for a gateway
        self,
        path: Path,
        max_bytes: int,
        tables: str,
        connect: Callable[[Path], Connection] = connect,
        *,
        is_changed: bool = True,
        cipher: Cipher | None = None,
    ) -> None:
        """Opens the file, or creates it. Raises StoreLocked, StoreError; StoreFull if the disk is full. `tables` is their SQL.

        Without `is_changed` it is only looked at, whatever version it is of. With a cipher what is sealed is encrypted.
        """
        if max_bytes < MIN_BYTES:
            raise StoreError(f"{path}: the bound must be at least {MIN_BYTES} bytes, not {max_bytes}")
        self.path = path
        total = max_bytes // PAGE_BYTES
        self._log_pages = min(total // 4, _MAX_LOG_PAGES)
        self.reserve_bytes = self._log_pages // 2 * PAGE_BYTES
        """In so much room beside the file the log that readings leave can be checkpointed; it is a part of the bound."""
        self.max_pages = total - self._log_pages - self._log_pages // 2 - 1
        self._is_changed = is_changed
        if is_changed:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._is_behind = False
        """The disk was full: perhaps the log could not be checkpointed."""
        self.seals = Seals(cipher)
        self.damage: StoreDamaged | None = None
        """Set once damage was found, whoever was told."""
        self._tables = {_spelt(statement) for statement in tables.split(";")}
        self._connection = self._open(connect, tables)

    def _open(self, connect: Callable[[Path], Connection], tables: str) -> Connection:
        connection = None
        try:
            connection = connect(self.path)
            is_empty = self._prepare(connection, tables)
            is_earlier = is_empty or connection.execute("pragma user_version").fetchone()[0] < _VERSION
            self.seals.takes_unsealed = bool(is_earlier or connection.execute(_IS_UNSEALED).fetchone())
        except BaseException as error:
            if connection is not None:
                connection.close()
            if isinstance(error, sqlite3.Error | UnicodeDecodeError):
                raise self._explained(error) from error
            raise
        return connection

    def _prepare(self, connection: Connection, tables: str) -> bool:
        """Says whether it is empty even so. The order matters: exclusive before the log, so that no shared memory file is needed."""
        if not self._is_changed:
            return self._is_empty(connection)
        connection.execute("pragma locking_mode = exclusive").fetchall()
        connection.execute(f"pragma page_size = {PAGE_BYTES}").fetchall()
        empty = self._is_empty(connection)
        if connection.execute("pragma journal_mode = wal").fetchone()[0] != "wal":
            raise StoreError(f"{self.path}: no write-ahead log on this file system")
        connection.execute("pragma synchronous = full").fetchall()
        connection.execute(f"pragma wal_autocheckpoint = {self._log_pages // 4}").fetchall()
        connection.execute(f"pragma journal_size_limit = {self._log_pages * PAGE_BYTES}").fetchall()
        if empty:
            self._create(connection, tables)
            # SQLite does not after it removed the journal of the first page, which would undo all.
            sync_folder(self.path.parent)
        elif connection.execute("pragma user_version").fetchone()[0] < _VERSION:
            self._upgrade(connection, tables)
        connection.execute(f"pragma max_page_count = {self.max_pages}").fetchall()
        return False

    def _is_empty(self, connection: Connection) -> bool:
        """Raises StoreError if it is neither empty nor a store."""
        version, application = (connection.execute(f"pragma {name}").fetchone()[0] for name in ("user_version", "application_id"))
        if not connection.execute("select count(*) from sqlite_schema").fetchone()[0]:
            return True
        if application != _APPLICATION or version > _MAX_VERSION:
            if connection.execute("select count(*) from sqlite_schema where name in ('journal', 'outbox')").fetchone()[0] == 2:
                raise StoreDamaged(f"{self.path} is damaged: its header is not what was written")
            raise StoreError(f"{self.path} is a database, but not a TinyBeam store")
        if version != _VERSION and tally.is_ours(connection):
            raise StoreDamaged(f"{self.path} is damaged: its header is not what was written")
        if version > _VERSION:
            raise StoreError(f"{self.path} is of version {version}, newer than this gateway's {_VERSION}")
        return False

    def _create(self, connection: Connection, tables: str) -> None:
        connection.execute("begin immediate")
        for statement in tables.split(";"):
            connection.execute(statement)
        connection.execute(f"pragma user_version = {_VERSION}").fetchall()
        connection.execute(f"pragma application_id = {_APPLICATION}").fetchall()
        connection.execute("commit")

    def _upgrade(self, connection: Connection, tables: str) -> None:
        """Makes a store of an earlier version one of this, whose rows may be without seals, and whose batches may have been sent."""
        connection.execute("begin immediate")
        known = {name for (name,) in connection.execute("select name from sqlite_schema").fetchall()}
        for statement in tables.split(";"):
            if statement.split()[2] not in known:
                connection.execute(statement)
        connection.execute(f"insert or replace into state select '{ATTEMPTED_TO}', coalesce(max(seq), 0) from outbox")
        connection.execute(f"insert or replace into state values ('{_UNSEALED}', 1)")
        connection.execute(f"pragma user_version = {_VERSION}").fetchall()
        connection.execute("commit")

    @property
    def max_commit_pages(self) -> int:
        """Says how many pages one commit may add so that the log keeps its bound; a few pages more change with it."""
        return self._log_pages * 3 // 4 - self._log_pages // 128 - 16

    @property
    def max_growth_pages(self) -> int:
        """Says how many pages readings may add in one commit, so that the reserve has room for what is not checkpointed yet."""
        return min(self.max_commit_pages, self._log_pages // 4)

    @property
    def max_row_bytes(self) -> int:
        """Says how large the blob of a row may be that one commit adds with a few small ones."""
        return (self.max_commit_pages - 16) * PAGE_BYTES

    def free_pages(self) -> int:
        """Counts the pages that the bound still allows to fill."""
        count, free = (self._connection.execute(f"pragma {name}").fetchone()[0] for name in ("page_count", "freelist_count"))
        return self.max_pages - int(count) + int(free)

    def bytes(self) -> int:
        """Returns the size on disk of the file and its log."""
        sizes = 0
        for path in (self.path, self.path.with_name(self.path.name + "-wal")):
            with suppress(FileNotFoundError):
                sizes += path.stat().st_size
        return sizes

    def read(self, sql: str, *parameters: Any) -> list[Any]:
        """Returns the rows. Raises StoreError."""
        try:
            return self._connection.execute(sql, parameters).fetchall()
        except (sqlite3.Error, UnicodeDecodeError) as error:
            raise self._explained(error) from error

    def catch_up(self) -> None:
        """Checkpoints a log that could not be on a full disk. Raises StoreFull while that is so."""
        if self._is_behind:
            self.read("pragma wal_checkpoint(passive)")
            self._is_behind = False

    def check(self) -> None:
        """Raises StoreDamaged for a file whose pages do not fit each other, or whose numbers are not those that were written."""
        if (found := self.read("pragma quick_check(1)")) != [("ok",)]:
            raise StoreDamaged(f"{self.path} is damaged: {found[0][0]}")
        made = {_spelt(str(sql)) for (sql,) in self.read("select sql from sqlite_schema where sql is not null")}
        if not self.seals.takes_unsealed and not self._tables <= made:
            raise StoreDamaged(f"{self.path} is damaged: its tables are not those that were made")
        if not self.has_tables():
            return
        try:
            is_right = tally.is_right(self._connection)
        except (sqlite3.Error, UnicodeDecodeError) as error:
            raise self._explained(error) from error
        if not is_right:
            raise StoreDamaged(f"{self.path} is damaged: what it says of itself is not what was written")

    def has_tables(self) -> bool:
        """Says whether it was ever made to be a store: one that is only looked at may be empty."""
        return bool(self.read("select count(*) from sqlite_schema")[0][0])

    @contextmanager
    def reading_seals(self) -> Iterator[Unsealed]:
        """Gives what opens the seals of this store; one that is broken is StoreDamaged, a missing key StoreKeyError."""
        try:
            yield self.seals.open
        except BrokenSeal as broken:
            self.damage = StoreDamaged(f"{self.path} is damaged: {broken}")
            raise self.damage from broken
        except Undecryptable as fault:
            raise StoreKeyError(f"{self.path}: {fault}") from fault

    @contextmanager
    def transaction(self, *, is_tallied: bool = True) -> Iterator[Connection]:
        """Commits all that is done within, or nothing. Raises StoreFull when the disk is full, StoreError for another fault of it.

        Without a tally where neither state nor counters change.
        """
        self._connection.execute("begin immediate")
        try:
            yield self._connection
            if is_tallied:
                tally.write(self._connection)
            self._connection.execute("commit")
        except BaseException as error:
            # SQLite has rolled back by itself after some errors.
            if self._connection.in_transaction:
                self._connection.execute("rollback")
            if isinstance(error, sqlite3.Error | UnicodeDecodeError):
                raise self._explained(error) from error
            raise

    def _explained(self, error: sqlite3.Error | UnicodeDecodeError) -> StoreError:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        is_text_broken = isinstance(error, UnicodeDecodeError) or "Could not decode to UTF-8" in str(error)
        # A header may say "read only" of a file that is not.
        is_false = code == sqlite3.SQLITE_READONLY and os.access(self.path, os.W_OK) and os.access(self.path.parent, os.W_OK)
        if is_text_broken or code in _DAMAGE or is_false:
            self.damage = StoreDamaged(f"{self.path} is damaged: {error}")
            return self.damage
        if code == sqlite3.SQLITE_BUSY:
            return StoreLocked(f"{self.path} is open in another process: stop the gateway first")
        if code == sqlite3.SQLITE_FULL:
            self._is_behind = True
            return StoreFull(f"{self.path}: the disk is full")
        return DiskFault(f"{self.path}: {error}") if code == sqlite3.SQLITE_IOERR else StoreError(f"{self.path}: {error}")

    def close(self) -> None:
        """Raises StoreError; what is committed stays so."""
        try:
            self._connection.close()
        except sqlite3.Error as error:
            raise self._explained(error) from error


def _spelt(sql: str) -> str:
    """Returns a statement as it is compared: SQLite keeps its own spelling of the first words."""
    return " ".join(sql.lower().split())


_IS_UNSEALED = f"select 1 from state where name = '{_UNSEALED}'"


def add(connection: Connection, counters: Mapping[str, int]) -> None:
    """Adds to counters; those of nought are left alone."""
    statement = "insert into counters values (?, ?) on conflict (name) do update set value = value + excluded.value"
    connection.executemany(statement, [(name, value) for name, value in counters.items() if value])
