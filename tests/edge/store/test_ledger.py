"""The ledger of a store that drops for years stays small, and never calls dropped what still waits."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from edge.store import ledger, outbox
from schemas.intervals import IntervalSet


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(f"create table counters (name text primary key, value integer); {ledger.TABLES}; {outbox.TABLES}")
        yield connection


def ranges(connection: sqlite3.Connection) -> IntervalSet:
    return IntervalSet([number for pair in connection.execute("select first, last from dropped order by first") for number in pair])


def drop(connection: sqlite3.Connection, seqs: range, base: int = 0) -> None:
    for seq in seqs:
        ledger.record_drop(connection, seq, readings=2)
        ledger.draw_together(connection, base)


def test_of_years_of_single_drops_the_newest_are_kept_apart(connection: sqlite3.Connection) -> None:
    """Case 29: a heartbeat grew to 8.4 MB."""
    drop(connection, range(1, 10_000, 2))
    kept = ranges(connection)
    assert len(kept.flat()) // 2 <= ledger.MAX_RANGES
    assert all(seq in kept for seq in range(1, 10_000, 2))
    assert kept.flat()[-1000:] == tuple(seq for seq in range(9001, 10_000, 2) for _ in "ab")
    assert connection.execute("select value from counters where name = 'batches_dropped'").fetchone() == (5000,)


def test_what_still_waits_is_never_called_dropped(connection: sqlite3.Connection) -> None:
    waiting, base = range(2, 3000, 500), 10_000
    connection.executemany("insert into outbox values (?, 1, 0, 0, '', '')", [(base + seq,) for seq in waiting])
    drop(connection, range(1, 5000, 2), base)
    kept = ranges(connection)
    assert len(kept.flat()) // 2 <= ledger.MAX_RANGES + len(waiting)
    assert not [seq for seq in waiting if seq in kept]
