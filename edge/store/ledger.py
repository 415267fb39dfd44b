"""Counts what became of every batch: cut, confirmed, pending or dropped. Nothing leaves the store without a row here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from edge.store.connection import Connection
from edge.store.database import Database, add
from schemas.envelope import from_micros

COUNTED_HERE = ("batches_cut", "batches_confirmed", "batches_dropped", "batches_thinned", "readings_dropped")
Gone = Literal["dropped", "thinned"]
"""What became of a batch that was not sent: it is a table of ranges of numbers each."""

MAX_RANGES = 1000
"""So many ranges of dropped numbers a heartbeat has at most."""

TABLES = """
create table dropped (first integer primary key, last integer not null);
create index dropped_last on dropped (last);
create table thinned (first integer primary key, last integer not null);
create index thinned_last on thinned (last)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """Holds the counts of a store since its epoch began. cut = confirmed + pending + dropped + thinned, always."""

    journaled: int
    """Readings ever appended: the highest journal id."""
    cut: int
    confirmed: int
    pending: int
    dropped: int
    dropped_ranges: tuple[int, ...]
    """Seqs dropped, as [first, last, first, last, ...]: the newest MAX_RANGES."""
    thinned: int
    """Batches that were merged into others for want of room."""
    thinned_ranges: tuple[int, ...]
    """Their seqs, likewise."""
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
    cut, confirmed, dropped, thinned, readings = (counters.pop(name, 0) for name in COUNTED_HERE)
    [(oldest,)] = database.read(_OLDEST)
    return Ledger(
        journaled=journaled,
        cut=cut,
        confirmed=confirmed,
        pending=cut - confirmed - dropped - thinned,
        dropped=dropped,
        dropped_ranges=_newest(database, "dropped"),
        thinned=thinned,
        thinned_ranges=_newest(database, "thinned"),
        readings_dropped=readings,
        oldest_pending_time=None if oldest is None else from_micros(oldest),
        store_bytes=database.bytes(),
        store_bytes_max=store_bytes_max,
        counters=counters,
    )


def record_drop(connection: Connection, seq: int, readings: int) -> None:
    """Records a drop, inside the transaction that removes the batch, or never stores it."""
    record(connection, "dropped", seq)
    add(connection, {"batches_dropped": 1, "readings_dropped": readings})


def record(connection: Connection, gone: Gone, seq: int) -> None:
    """Adds a number to the ranges of those that are gone so."""
    before = connection.execute(f"select first from {gone} where last = ?", (seq - 1,)).fetchone()
    after = connection.execute(f"select last from {gone} where first = ?", (seq + 1,)).fetchone()
    if after:
        connection.execute(f"delete from {gone} where first = ?", (seq + 1,))
    first, last = before[0] if before else seq, after[0] if after else seq
    connection.execute(f"insert or replace into {gone} values (?, ?)", (first, last))


def draw_together(connection: Connection, base: int) -> None:
    """Keeps about MAX_RANGES ranges of each: of more, the oldest become one with what lies between them, if all of that has been confirmed.

    `base` is the difference of a batch's key in the outbox and its seq.
    """
    _draw_together(connection, base, "dropped", "thinned")
    _draw_together(connection, base, "thinned", "dropped")


def _draw_together(connection: Connection, base: int, gone: Gone, otherwise: Gone) -> None:
    excess = connection.execute(f"select count(*) from {gone}").fetchone()[0] - MAX_RANGES
    if excess <= 0:
        return
    ranges = connection.execute(f"select first, last from {gone} order by first limit ?", (2 * excess + MAX_RANGES // 4,)).fetchall()
    (first, last), firsts = ranges[0], []
    for following, end in ranges[1:]:
        between = (base + last, base + following, last, following)
        if connection.execute(_NOT_CONFIRMED.format(otherwise), between).fetchone():
            first = following
        else:
            firsts.append((following,))
            connection.execute(f"update {gone} set last = ? where first = ?", (end, first))
        last = end
    connection.executemany(f"delete from {gone} where first = ?", firsts)


_NOT_CONFIRMED = """
select 1 where exists (select 1 from outbox where seq > ? and seq < ?) or exists (select 1 from {} where first > ? and first < ?)
"""
_OLDEST = """
select min(cut_us) from outbox where seq = (select min(seq) from outbox) or seq in (select min(seq) from coarse group by seconds)
"""
"""A merged batch is as old as the oldest that it was merged of, whatever its number."""


def _newest(database: Database, gone: Gone) -> tuple[int, ...]:
    ranges = database.read(f"select first, last from {gone} order by first desc limit ?", MAX_RANGES)
    return tuple(number for pair in reversed(ranges) for number in pair)
