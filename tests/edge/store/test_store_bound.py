"""The store never exceeds its bound, and whatever it gives up for that has its row in the ledger."""

import random
import sqlite3
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from edge.store.connection import connect
from edge.store.pages import PAGE_BYTES
from edge.store.reserve import reserve_file
from edge.store.store import CommitTooLarge, Entry, JournalMark, Store, StoreFull
from schemas.intervals import IntervalSet
from schemas.records import KINDS
from tests import long_form
from tests.edge.encoded import NOW, encoded
from tests.edge.folders import memory_folder
from tests.edge.sections import remember

BOUND = 613 * PAGE_BYTES
OPERATIONS = long_form.number(4000, 50_000)
SEED = 20260501


@pytest.fixture
def store(folder: Path) -> Iterator[Store]:
    store = Store(folder / "store.db", "gw-1", BOUND)
    yield store
    store.close()


def bytes_of(store_path: Path) -> int:
    """Every file of the store but the marks beside it, counted from outside."""
    return sum(
        path.stat().st_size
        for path in store_path.parent.iterdir()
        if path.name.startswith(store_path.name) and not path.name.endswith(("high-water", "acknowledged"))
    )


def seqs(store: Store) -> set[int]:
    return {batch.envelope.seq for batch in store.pending(10**6)}


def fill(store: Store, *, size: int = 2000, window_end: int = 10) -> int:
    """Appends until the store is full; returns how many readings it took."""
    stored = 0
    while True:
        try:
            store.append([Entry(window_end, bytes(size))] * 5)
        except StoreFull:
            return stored
        stored += 5


def test_bytes_on_disk_stay_within_the_bound_after_every_commit(folder: Path) -> None:
    rng = random.Random(SEED)
    path = folder / "store.db"
    store, largest = Store(path, "gw-1", BOUND), 0
    last, window = 0, 10
    for number in range(OPERATIONS):
        if number % 500 == 0:
            long_form.progress(number, OPERATIONS)
        dice = rng.random()
        size = int(10 ** rng.uniform(0, 4.5))
        if dice < 0.55:
            try:
                last = store.append([Entry(window, rng.randbytes(size // 10 + 1))] * rng.randint(1, 20), rng.randbytes(160))[-1]
            except StoreFull:
                window += 10
                store.cut([encoded(body=rng.randbytes(size))], NOW, closed=JournalMark(window - 10, last))
        elif dice < 0.95:
            kinds = rng.choices(list(KINDS), k=rng.randint(1, 3))
            memory = remember("device", {str(rng.randint(0, 40)): rng.randbytes(100)})
            store.cut([encoded(kind, rng.randbytes(size)) for kind in kinds], NOW, sections=[memory])
        else:
            store.confirm([batch.envelope.seq for batch in store.pending(3)])
        largest = max(largest, bytes_of(path))
        assert largest <= BOUND, f"seed {SEED}"
    ledger = store.ledger()
    assert ledger.store_bytes == bytes_of(path) - reserve_file(path).stat().st_size
    assert largest > BOUND // 2, "the store was never near its bound"
    assert ledger.dropped > 100, "nothing had to be dropped"
    assert ledger.cut == ledger.confirmed + ledger.pending + ledger.dropped
    store.close()
    long_form.note("R5", measured=f"{OPERATIONS:,} operations, 0 over; {largest:,} of {BOUND:,} bytes at most", seed=SEED)


def test_a_store_that_may_take_more_is_seen_to_exceed_the_bound(folder: Path) -> None:
    with closing(Store(folder / "store.db", "gw-1", 2 * BOUND)) as store:
        fill(store)
        taken = bytes_of(folder / "store.db")
    assert taken > BOUND
    long_form.note("R5", control=f"a store that was told twice the bound is seen to take {taken:,} bytes")


def test_the_oldest_of_the_lowest_priority_is_dropped_first(store: Store) -> None:
    body = bytes(20_000)
    store.cut([encoded("events", body), encoded("summaries", body, readings=7), encoded("summaries", body, readings=5)], NOW)
    while not store.ledger().dropped:
        store.cut([encoded("inferences", body)], NOW)
    assert store.ledger().dropped_ranges == (2, 2)
    assert store.ledger().readings_dropped == 7
    while store.ledger().dropped < 5:
        store.cut([encoded("inferences", body)], NOW)
    assert store.ledger().dropped_ranges == (2, 6)
    assert store.ledger().readings_dropped == 12
    assert 1 in seqs(store)


def test_a_lower_priority_never_pushes_out_a_higher_one(store: Store) -> None:
    body = bytes(20_000)
    while not store.ledger().dropped:
        store.cut([encoded("events", body)], NOW)
    waiting = seqs(store)
    (named,) = store.cut([encoded("summaries", body, readings=3)], NOW)
    assert seqs(store) == waiting
    assert named.seq in IntervalSet(store.ledger().dropped_ranges)
    assert store.ledger().readings_dropped == 3


def test_when_only_readings_fill_it_appending_is_refused_and_nothing_written(store: Store) -> None:
    stored = fill(store)
    assert stored > 100
    assert len(list(store.replay())) == stored
    assert store.ledger().journaled == stored


def test_a_store_full_of_readings_can_still_be_cut_and_takes_readings_again(store: Store) -> None:
    stored = fill(store)
    store.cut([encoded(body=bytes(20_000)), encoded("events")], NOW, closed=JournalMark(10, stored))
    assert seqs(store) == {1, 2}
    assert list(store.replay()) == []
    assert len(store.append([Entry(20, bytes(2000))] * 5)) == 5


def test_a_batch_that_finds_no_room_is_dropped_by_its_name_and_its_rows_closed(store: Store) -> None:
    stored = fill(store)
    named = store.cut([encoded(body=bytes(150_000), readings=stored), encoded("events")], NOW, closed=JournalMark(10, stored))
    assert [envelope.seq for envelope in named] == [1, 2]
    assert seqs(store) == {2}
    assert store.ledger().dropped_ranges == (1, 1)
    assert store.ledger().readings_dropped == stored
    assert list(store.replay()) == []


def test_readings_push_out_batches_before_they_are_refused(store: Store) -> None:
    store.cut([encoded("events", bytes(20_000)), encoded("summaries", bytes(20_000))], NOW)
    fill(store)
    assert store.ledger().dropped_ranges == (1, 2)


def test_memory_finds_room_in_a_store_full_of_events(store: Store, folder: Path) -> None:
    while not store.ledger().dropped:
        store.cut([encoded("events", bytes(9_000))], NOW)
    for number in range(100):
        store.cut([], NOW, sections=[remember("device", {f"{number}-{key}": bytes(100) for key in range(50)})])
    assert len(store.section("device").items()) == 5000
    assert bytes_of(folder / "store.db") <= BOUND


def rows_in_journal(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("select count(*) from journal").fetchone()[0])


class NoDeletions:
    """A connection whose disk is full for whoever deletes from the journal, as long as it is."""

    def __init__(self, path: Path) -> None:
        self._connection, self.is_full = connect(path), True
        self.execute, self.close = self._connection.execute, self._connection.close

    @property
    def in_transaction(self) -> bool:
        return self._connection.in_transaction

    def executemany(self, sql: str, parameters: Iterable[Sequence[Any]]) -> None:
        if self.is_full and sql.startswith("delete from journal"):
            error = sqlite3.OperationalError("database or disk is full")
            error.sqlite_errorcode = sqlite3.SQLITE_FULL
            raise error
        self._connection.executemany(sql, parameters)


def test_closed_rows_that_cannot_be_deleted_yet_are_not_replayed(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    store = Store(path, "gw-1", BOUND, connect=NoDeletions)
    store.append([Entry(10, b"cut"), Entry(20, b"open")])
    store.cut([encoded()], NOW, closed=JournalMark(10, 2))
    assert [body for _, _, body in store.replay()] == [b"open"]
    store.close()
    assert rows_in_journal(path) == 2
    store = Store(path, "gw-1", BOUND)
    assert [body for _, _, body in store.replay()] == [b"open"]
    store.close()
    assert rows_in_journal(path) == 1


def test_readings_that_are_cut_hold_up_no_others_and_cost_no_batch_once_they_can_be_deleted(folder: Path) -> None:
    connection = NoDeletions(folder / "store.db")
    with closing(Store(folder / "store.db", "gw-1", BOUND, connect=lambda _: connection)) as store:
        stored = fill(store)
        store.cut([encoded("summaries")], NOW, closed=JournalMark(10, stored))
        connection.is_full = False
        assert len(store.append([Entry(20, bytes(2000))] * 5)) == 5
        assert seqs(store) == {1}


def test_readings_too_large_for_one_commit_are_refused_whole(store: Store) -> None:
    with pytest.raises(CommitTooLarge, match="a commit of"):
        store.append([Entry(10, bytes(BOUND // 3))])
    assert store.ledger().journaled == 0


def test_a_batch_too_large_for_one_commit_is_refused_whole(store: Store) -> None:
    with pytest.raises(CommitTooLarge, match="bytes in one row"):
        store.cut([encoded(body=bytes(store.max_batch_bytes + 1))], NOW)
    assert store.ledger().cut == 0


def test_a_cut_too_large_for_one_commit_takes_place_in_parts_within_the_bound(folder: Path) -> None:
    bodies = [random.Random(at).randbytes(20_000) for at in range(60)]
    memory = {str(at): bytes([at % 250]) * 150 for at in range(1500)}
    with closing(Store(folder / "large.db", "gw-1", 4 * BOUND)) as store:
        store.append([Entry(10, bytes(100))])
        sections = [remember("m", memory)]
        store.cut([encoded(body=body) for body in bodies], NOW, closed=JournalMark(10, 1), sections=sections, counters={"cuts": 1})
        assert bytes_of(folder / "large.db") <= 4 * BOUND
        assert ([batch.body for batch in store.pending(100)], dict(store.section("m").items())) == (bodies, memory)
        assert (list(store.replay()), store.ledger().cut, store.ledger().counters) == ([], 60, {"cuts": 1})


class FullStore(RuleBasedStateMachine):
    """A small store against sets: what was cut is pending, confirmed or dropped, and what was appended is there until closed."""

    def __init__(self) -> None:
        super().__init__()
        self.exit = ExitStack()
        self.folder = self.exit.enter_context(memory_folder())
        self.store = Store(self.folder / "store.db", "gw-1", BOUND)
        self.journal: deque[int] = deque()
        self.cut: dict[int, int] = {}
        self.confirmed: set[int] = set()
        self.readings = 0
        self.window = 10

    @rule(
        kinds=st.lists(st.sampled_from(list(KINDS)), min_size=1, max_size=3),
        size=st.sampled_from([10, 5_000, 90_000]),
        closes=st.booleans(),
    )
    def cut_batches(self, kinds: list[str], size: int, closes: bool) -> None:
        closed = JournalMark(self.window, self.journal[-1]) if closes and self.journal else None
        for envelope in self.store.cut([encoded(kind, bytes(size), readings=1) for kind in kinds], NOW, closed=closed):
            self.cut[envelope.seq] = envelope.priority
        if closed:
            self.journal.clear()
            self.window += 10

    @rule(count=st.integers(1, 20), size=st.sampled_from([10, 3_000]))
    def append(self, count: int, size: int) -> None:
        try:
            self.journal.extend(self.store.append([Entry(self.window, bytes(size))] * count))
        except StoreFull:
            assert not seqs(self.store), "a reading was refused while there was a batch to drop"

    @precondition(lambda self: self.cut)
    @rule(count=st.integers(1, 5))
    def confirm(self, count: int) -> None:
        confirmed = [batch.envelope.seq for batch in self.store.pending(count)]
        self.store.confirm(confirmed)
        self.confirmed.update(confirmed)

    @rule()
    def reopen(self) -> None:
        self.store.close()
        self.store = Store(self.folder / "store.db", "gw-1", BOUND)

    @invariant()
    def every_batch_is_pending_confirmed_or_dropped(self) -> None:
        ledger, pending = self.store.ledger(), seqs(self.store)
        dropped = set(IntervalSet(ledger.dropped_ranges))
        assert pending | self.confirmed | dropped == self.cut.keys()
        assert len(pending) + len(self.confirmed) + len(dropped) == len(self.cut)
        assert (ledger.pending, ledger.confirmed, ledger.dropped, ledger.readings_dropped) == (
            len(pending),
            len(self.confirmed),
            len(dropped),
            len(dropped),
        )

    @invariant()
    def every_open_reading_is_there_and_the_bound_holds(self) -> None:
        assert [at for at, _, _ in self.store.replay()] == list(self.journal)
        assert bytes_of(self.folder / "store.db") <= BOUND

    def teardown(self) -> None:
        self.store.close()
        self.exit.close()


TestFullStore = FullStore.TestCase
TestFullStore.settings = settings(deadline=None, max_examples=60, stateful_step_count=40)
