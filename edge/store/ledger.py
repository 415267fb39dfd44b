"""Counts what became of every batch: cut, confirmed, pending or dropped. Nothing leaves the store without a row here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from edge.store.database import Connection, Database, add
from schemas.envelope import from_micros

COUNTED_HERE = ("batches_cut", "batches_confirmed", "batches_dropped", "readings_dropped")

MAX_RANGES = 1000
"""So many ranges of dropped numbers a heartbeat has at most."""

TABLES = """
create table dropped (first integer primary key, last integer not null);
create index dropped_last on dropped (last)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """Holds the counts of a store since its epoch began. cut = confirmed + pending + dropped, always."""

    journaled: int
    """Readings ever appended: the highest journal id."""
    cut: int
    confirmed: int
    pending: int
    dropped: int
    dropped_ranges: tuple[int, ...]
    """Seqs dropped, as [first, last, first, last, ...]: the newest MAX_RANGES."""
    readings_dropped: int
    """Readings of the batches dropped, as far as the batches say."""
    oldest_pending_time: datetime | None
    store_bytes: int
    store_bytes_max: int
    counters: dict[str, int]
    """What the callers of `cut` counted."""


def batches_cut(database: Database) -> int:
    """Returns how many numbers this epoch has given out."""
    cut = database.read("select value from counters where name = 'batches_cut'")
    return int(cut[0][0]) if cut else 0


def read(database: Database, journaled: int, store_bytes_max: int) -> Ledger:
    counters: dict[str, int] = dict(database.read("select name, value from counters"))
    cut, confirmed, dropped, readings = (counters.pop(name, 0) for name in COUNTED_HERE)
    oldest = database.read("select cut_us from outbox order by seq limit 1")
    ranges = reversed(database.read("select first, last from dropped order by first desc limit ?", MAX_RANGES))
    return Ledger(
        journaled=journaled,
        cut=cut,
        confirmed=confirmed,
        pending=cut - confirmed - dropped,
        dropped=dropped,
        dropped_ranges=tuple(number for pair in ranges for number in pair),
        readings_dropped=readings,
        oldest_pending_time=from_micros(oldest[0][0]) if oldest else None,
        store_bytes=database.bytes(),
        store_bytes_max=store_bytes_max,
        counters=counters,
    )


def record_drop(connection: Connection, seq: int, readings: int) -> None:
    """Records a drop, inside the transaction that removes the batch, or never stores it."""
    before = connection.execute("select first from dropped where last = ?", (seq - 1,)).fetchone()
    after = connection.execute("select last from dropped where first = ?", (seq + 1,)).fetchone()
    if after:
        connection.execute("delete from dropped where first = ?", (seq + 1,))
    first, last = before[0] if before else seq, after[0] if after else seq
    connection.execute("insert or replace into dropped values (?, ?)", (first, last))
    add(connection, {"batches_dropped": 1, "readings_dropped": readings})


def draw_together(connection: Connection, base: int) -> None:
    """Keeps about MAX_RANGES ranges: of more, the oldest become one with what lies between them, if all of that has been confirmed.

    `base` is the difference of a batch's key in the outbox and its seq.
    """
    excess = connection.execute("select count(*) from dropped").fetchone()[0] - MAX_RANGES
    if excess <= 0:
        return
    ranges = connection.execute("select first, last from dropped order by first limit ?", (2 * excess + MAX_RANGES // 4,)).fetchall()
    (first, last), firsts = ranges[0], []
    for following, end in ranges[1:]:
        if connection.execute("select 1 from outbox where seq > ? and seq < ? limit 1", (base + last, base + following)).fetchone():
            first = following
        else:
            firsts.append((following,))
            connection.execute("update dropped set last = ? where first = ?", (end, first))
        last = end
    connection.executemany("delete from dropped where first = ?", firsts)
