"""Makes a new store of what can be read of a damaged one, which is set aside.

What is under its seal is taken over: readings that no cut has closed, batches that wait, under their names, and memory. The store has a new
epoch, for nobody knows which numbers the damaged one gave out last.
"""

from __future__ import annotations

import secrets
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

from edge.store import earlier, encryption, tally
from edge.store.connection import Connection, connect
from edge.store.database import Database
from edge.store.faults import StoreError
from edge.store.identity import high_water_file, read_high_water
from edge.store.journal import Journal
from edge.store.ledger import COUNTED_HERE
from edge.store.pages import PAGE_BYTES, pages
from edge.store.parts import STAGED, VALID, Parts
from edge.store.seal import BrokenSeal, unsealed
from program.files import sync_folder

_READ_AT_ONCE = 20
_FARTHEST_STEP = 1 << 20
_MOST_READS = 1 << 18
_RESERVE = 64
"""Pages left free, so that what comes next finds room."""
_UNREADABLE = (sqlite3.Error, UnicodeDecodeError)
_SUFFIXES = ("", "-wal", "-shm", "-journal")
_HEADER_BYTES, _SIZE, _FREE_PAGES = 100, slice(28, 32), slice(32, 40)
"""Of a file of SQLite (its file format, 1.3): the header, in it the number of pages, and where the free ones begin and their number."""


@dataclass(frozen=True, slots=True)
class Rescued:
    """Says what was taken over, and where the damaged file lies."""

    aside: Path
    readings: int
    batches: int

    def __str__(self) -> str:
        return f"{self.aside} is what was damaged; {self.readings} rows of readings and {self.batches} waiting batches of it go on"


def rescue(path: Path, max_bytes: int, tables: str) -> Rescued:
    """Makes a new store beside the damaged one, sets that aside and puts the new one in its place. Raises StoreError: nothing has changed.

    An earlier one that lies aside is removed, for want of room. A death within leaves the damaged store, or what `finish` completes.
    """
    aside, unfinished = _beside(path, "damaged"), _beside(path, "unfinished")
    try:
        _remove(aside)
        _remove(unfinished)
        with closing(Database(unfinished, max_bytes, tables, connect)) as database, _readable(path, unfinished) as damaged:
            readings, batches = _taken_over(damaged, database, path)
        unfinished.replace(_beside(path, _WHOLE))
        finish(path)
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"{path}: what is whole of it cannot be taken over: {error}") from error
    return Rescued(aside, readings, batches)


def finish(path: Path) -> None:
    """Puts a new store that is whole in the place of the damaged one; to be called before a store is opened. Raises OSError."""
    whole = _beside(path, _WHOLE)
    if not whole.exists():
        return
    sync_folder(path.parent)
    for suffix in ("-wal", ""):
        with suppress(FileNotFoundError):
            Path(f"{path}{suffix}").replace(f"{_beside(path, 'damaged')}{suffix}")
    # The log of the damaged store must be gone for good before another store has its name.
    sync_folder(path.parent)
    whole.replace(path)
    sync_folder(path.parent)


_WHOLE = "whole"


def _beside(path: Path, name: str) -> Path:
    return path.with_name(f"{path.name}.{name}")


def _remove(file: Path) -> None:
    for suffix in _SUFFIXES:
        Path(f"{file}{suffix}").unlink(missing_ok=True)


@contextmanager
def _readable(path: Path, fresh: Path) -> Iterator[Connection]:
    """Opens the damaged file; where its first bytes are no header, a copy of it under the header of a store."""
    if _has_header(path):
        with closing(connect(path)) as damaged:
            yield damaged
        return
    copy = _beside(path, "mended")
    _remove(copy)
    shutil.copyfile(path, copy)
    header = bytearray(fresh.read_bytes()[:_HEADER_BYTES])
    header[_SIZE] = (copy.stat().st_size // PAGE_BYTES).to_bytes(4, "big")
    header[_FREE_PAGES] = bytes(8)
    with copy.open("r+b") as file:
        file.write(header)
    try:
        with closing(connect(copy)) as damaged:
            yield damaged
    finally:
        _remove(copy)


def _has_header(file: Path) -> bool:
    with closing(connect(file)) as connection, suppress(*_UNREADABLE):
        return bool(connection.execute("select count(*) from sqlite_schema").fetchone()[0])
    return False


def _taken_over(damaged: Connection, database: Database, path: Path) -> tuple[int, int]:
    """Copies what is whole; returns how many rows of the journal, and how many batches."""
    state, parts = _state(damaged), Parts(database)
    closed, last_key = _closed(state, path), int(state.get("base", 0)) + int(state.get("batches_cut", 0))
    if closed is not None:
        _copy(_rows(damaged, "journal", "id", 1), "journal", database, parts)
    _copy(_rows(damaged, "commits", "last_id", 1), "commits", database, parts)
    # Memory that is staged is what a cut made of the rest: without it the rest would be of before, and sent again.
    memory = _rows(damaged, "memory", "name", 1)
    _copy((row for row in memory if VALID in state or not row[0].startswith(STAGED)), "memory", database, parts)
    # Batches beyond the last key are of a cut that did not take place: its readings are in the journal.
    outbox = _rows(damaged, "outbox", "seq", -1)
    _copy((row for row in outbox if not state or row[0] <= last_key), "outbox", database, parts, has_way_on=True)
    (journal, journal_id), (batches, key) = (database.read(sql)[0] for sql in _COUNTS)
    with database.transaction() as connection:
        new = {"epoch": secrets.randbits(48), "base": max(last_key, key), **(closed or {})}
        new |= {name: state[name] for name in ("gateway_id", "machine", encryption.STATE, VALID) if name in state}
        connection.executemany("insert into state values (?, ?)", list(new.items()))
        counted = {name: value for name, value in state.items() if name.startswith("readings_") and name not in COUNTED_HERE}
        flag = earlier.RESCUED if state else earlier.WENT_BACK
        connection.executemany("insert into counters values (?, ?)", list({**counted, **earlier.of(state), flag: 1}.items()))
        _note_epoch(connection, state, path)
        Journal.number_from(connection, max(journal_id, (closed or {}).get("closed_journal_id", 0)))
    return journal, batches


def _note_epoch(connection: Connection, state: dict[str, Any], path: Path) -> None:
    """Notes the epoch that ends, and how many of its waiting batches were not taken over, as far as the damaged store says."""
    if not state:
        if mark := read_high_water(high_water_file(path)):
            earlier.note(connection, mark.epoch)
        return
    cut, *gone = (int(state.get(name, 0)) for name in ("batches_cut", "batches_confirmed", "batches_dropped"))
    [(here,)] = connection.execute("select count(*) from outbox where seq > ?", (int(state["base"]),)).fetchall()
    earlier.note(connection, int(state["epoch"]), cut - sum(gone) - here)


_COUNTS = (
    "select count(*), max(coalesce(max(id), 0), (select coalesce(max(last_id), 0) from commits)) from journal",
    "select count(*), coalesce(max(seq), 0) from outbox",
)


def _copy(rows: Iterator[tuple[Any, ...]], table: str, database: Database, parts: Parts, *, has_way_on: bool = False) -> None:
    """Writes rows, some at a time: a whole store would not find room in memory. With a way on it ends where the bound has no room."""
    while chunk := sorted(islice(rows, _READ_AT_ONCE)):
        room = database.free_pages() - _RESERVE
        fitting = [row for at, row in enumerate(chunk) if not has_way_on or pages(map(_size, chunk[at:])) <= room]
        marks = ", ".join("?" * len(chunk[0]))
        parts.write(f"insert or ignore into {table} values ({marks})", fitting, [_size(row) for row in fitting])
        if len(fitting) < len(chunk):
            return


def _state(damaged: Connection) -> dict[str, Any]:
    """Returns state and counters; nothing if they are not those that were written."""
    with suppress(*_UNREADABLE):
        if tally.is_right(damaged):
            return dict(damaged.execute("select name, value from state union all select name, value from counters").fetchall())
    return {}


def _closed(state: dict[str, Any], path: Path) -> dict[str, int] | None:
    """Returns what cuts have closed; None if that is not known, for then a reading might be cut again."""
    if state:
        return {name: value for name, value in state.items() if name.startswith("closed_")}
    mark = read_high_water(high_water_file(path))
    return mark.closed if mark else None


def _rows(damaged: Connection, table: str, key: str, direction: int) -> Iterator[tuple[Any, ...]]:
    """Yields the rows that are whole, from one end and then from the other: each passes over others where the file cannot be read."""
    return _whole(chain(_walk(damaged, table, key, direction), _walk(damaged, table, key, -direction)))


def _whole(rows: Iterator[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    return (row for row in rows if _is_whole(row))


def _is_whole(row: tuple[Any, ...]) -> bool:
    """Says whether a row is as it was written. One without a seal cannot be told from a damaged one."""
    with suppress(BrokenSeal, TypeError):
        return unsealed(row[-1], *row[:-1]) is not None
    return False


_BEFORE_ALL, _BEHIND_ALL = -1, b"\xff"
"""Numbers, then texts, then blobs is SQLite's order."""


def _walk(damaged: Connection, table: str, key: str, direction: int) -> Iterator[tuple[Any, ...]]:
    """Yields rows. It passes over one that cannot be read; where not even its key can be, and keys are numbers, in steps that grow."""
    last: Any = _BEFORE_ALL if direction > 0 else _BEHIND_ALL
    comparison, order = (">", "asc") if direction > 0 else ("<", "desc")
    query = f"from {table} where {key} {comparison} ? order by {key} {order} limit ?"
    limit, step = _READ_AT_ONCE, 1
    for _ in range(_MOST_READS):  # pages that point at each other have no end
        try:
            rows = damaged.execute(f"select * {query}", (last, limit)).fetchall()
        except _UNREADABLE:
            if limit > 1:
                limit = 1
            elif (passed := _key(damaged, f"select {key} {query}", last)) is not None:
                last = passed
            elif isinstance(last, int) and step <= _FARTHEST_STEP:
                last, step = last + direction * step, 2 * step
            else:
                return
            continue
        if not rows:
            return
        yield from rows
        last, limit, step = rows[-1][0], _READ_AT_ONCE, 1


def _key(damaged: Connection, query: str, last: Any) -> Any:
    with suppress(*_UNREADABLE):
        if row := damaged.execute(query, (last, 1)).fetchone():
            return row[0]
    return None


def _size(row: Sequence[Any]) -> int:
    return sum(len(value) if isinstance(value, str | bytes) else 8 for value in row)
