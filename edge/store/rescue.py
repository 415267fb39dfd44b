"""Makes a new store of what can be read of a damaged one, which is set aside.

What is under its seal is taken over: readings that no cut has closed, batches that wait, under their names, and memory. The store has a new
epoch, for nobody knows which numbers the damaged one gave out last.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.store import tally
from edge.store.database import PAGE_BYTES, Connection, Database, connect
from edge.store.identity import read_high_water
from edge.store.ledger import COUNTED_HERE
from edge.store.parts import Parts
from edge.store.seal import BrokenSeal, is_sealed, unsealed

_READ_AT_ONCE = 100
_FARTHEST_STEP = 1 << 20
_MOST_READS = 1 << 18
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
    """Sets the damaged store aside and makes a new one. Raises StoreError. An earlier one that lies aside is removed, for want of room."""
    aside = path.with_name(f"{path.name}.damaged")
    for suffix in ("-wal", ""):
        Path(f"{aside}{suffix}").unlink(missing_ok=True)
        with suppress(FileNotFoundError):
            Path(f"{path}{suffix}").rename(f"{aside}{suffix}")
    with closing(Database(path, max_bytes, tables, connect)) as database, _readable(aside, path) as damaged:
        return Rescued(aside, *_taken_over(damaged, database, path))


@contextmanager
def _readable(aside: Path, fresh: Path) -> Iterator[Connection]:
    """Opens the damaged file; where its first bytes are no header, a copy of it under the header of a store."""
    if _has_header(aside):
        with closing(connect(aside)) as damaged:
            yield damaged
        return
    copy = aside.with_name(f"{aside.name}.mended")
    content = bytearray(aside.read_bytes())
    content[:_HEADER_BYTES] = fresh.read_bytes()[:_HEADER_BYTES]
    content[_SIZE] = (len(content) // PAGE_BYTES).to_bytes(4, "big")
    content[_FREE_PAGES] = bytes(8)
    copy.write_bytes(content)
    try:
        with closing(connect(copy)) as damaged:
            yield damaged
    finally:
        for suffix in ("", "-wal", "-shm"):
            Path(f"{copy}{suffix}").unlink(missing_ok=True)


def _has_header(file: Path) -> bool:
    with closing(connect(file)) as connection, suppress(sqlite3.Error):
        return bool(connection.execute("select count(*) from sqlite_schema").fetchone())
    return False


def _taken_over(damaged: Connection, database: Database, path: Path) -> tuple[int, int]:
    """Copies what is whole; returns how many rows of the journal, and how many batches."""
    parts, state = Parts(database), _state(damaged)
    closed = _closed(state, path)
    journal = [row for row in _rows(damaged, "journal", "id") if _is_whole(row[2], row[0], row[1])] if closed is not None else []
    outbox = [row for row in _rows(damaged, "outbox", "seq") if _is_whole(row[5], *row[:5])]
    commits = [row for row in _rows(damaged, "commits", "last_id") if _is_whole(row[1], row[0])]
    memory = [row for row in _rows(damaged, "memory", "name") if _is_whole(row[1], row[0])]
    for table, rows in {"journal": journal, "outbox": outbox, "commits": commits, "memory": memory}.items():
        marks = ", ".join("?" * len(rows[0])) if rows else ""
        parts.write(f"insert into {table} values ({marks})", rows, [_size(row) for row in rows])
    last_key = max([int(state.get("base", 0)) + int(state.get("batches_cut", 0)), *(row[0] for row in outbox)])
    new = {"epoch": secrets.randbits(48), "base": last_key, **(closed or {})}
    new |= {name: state[name] for name in ("gateway_id", "machine") if name in state}
    with database.transaction() as connection:
        connection.executemany("insert into state values (?, ?)", list(new.items()))
        counted = [(name, value) for name, value in state.items() if name.startswith("readings_") and name not in COUNTED_HERE]
        connection.executemany("insert into counters values (?, ?)", counted)
        # Readings that come now have ids of their own, whatever was lost.
        last_id = max([0, (closed or {}).get("closed_journal_id", 0), *(row[0] for row in journal), *(row[0] for row in commits)])
        connection.execute("insert or ignore into commits values (?, ?)", (last_id, b""))
    return len(journal), len(outbox)


def _state(damaged: Connection) -> dict[str, Any]:
    """Returns state and counters; nothing if they are not those that were written."""
    with suppress(sqlite3.Error):
        if tally.is_right(damaged):
            return dict(damaged.execute("select name, value from state union all select name, value from counters").fetchall())
    return {}


def _closed(state: dict[str, Any], path: Path) -> dict[str, int] | None:
    """Returns what cuts have closed; None if that is not known, for then a reading might be cut again."""
    if state:
        return {name: value for name, value in state.items() if name.startswith("closed_")}
    mark = read_high_water(path.with_name(path.name + ".high-water"))
    return {"closed_window_end_us": mark.closed_window_end_us, "closed_journal_id": mark.closed_journal_id} if mark else None


def _rows(damaged: Connection, table: str, key: str) -> list[tuple[Any, ...]]:
    """Returns the rows that can be read, from the first on and from the last back, up to where the file cannot be."""
    forward = list(_walk(damaged, f"select * from {table} where {key} > ? order by {key} limit ?", _BEFORE_ALL, 1))
    backward = list(_walk(damaged, f"select * from {table} where {key} < ? order by {key} desc limit ?", _BEHIND_ALL, -1))
    found = {row[0]: row for row in [*forward, *backward] if isinstance(row[0], str if key == "name" else int)}
    return [found[key] for key in sorted(found)]


_BEFORE_ALL, _BEHIND_ALL = -1, b"\xff"
"""Numbers, then texts, then blobs is SQLite's order."""


def _walk(damaged: Connection, query: str, last: Any, direction: int) -> Iterator[tuple[Any, ...]]:
    """Yields rows from `last` on. Where a page cannot be read it goes on behind it, if keys are numbers, in steps that grow."""
    limit, step = _READ_AT_ONCE, 1
    for _ in range(_MOST_READS):  # pages that point at each other have no end
        try:
            rows = damaged.execute(query, (last, limit)).fetchall()
        except sqlite3.Error:
            if limit == 1 and (not isinstance(last, int) or step > _FARTHEST_STEP):
                return
            if limit == 1:
                last, step = last + direction * step, 2 * step
            limit = 1
            continue
        if not rows:
            return
        yield from rows
        last, limit, step = rows[-1][0], _READ_AT_ONCE, 1


def _is_whole(blob: Any, *of: Any) -> bool:
    """Says whether a sealed blob is as it was written. One without a seal cannot be told from a damaged one."""
    with suppress(BrokenSeal, TypeError):
        return is_sealed(blob) and unsealed(blob, *of) is not None
    return False


def _size(row: Sequence[Any]) -> int:
    return sum(len(value) if isinstance(value, str | bytes) else 8 for value in row)
