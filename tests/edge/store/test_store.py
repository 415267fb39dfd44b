"""The store keeps what it returned from, under numbers that never name two batches."""

import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.store.journal import COMMITS_REMEMBERED
from edge.store.store import Entry, JournalMark, Store, StoreError, StoreLocked
from tests.edge.encoded import NOW, encoded
from tests.edge.sections import remember

BOUND = 4 << 20


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "store.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    store = Store(path, "gw-1", BOUND)
    yield store
    store.close()


def reopened(store: Store, path: Path) -> Store:
    store.close()
    return Store(path, store.gateway_id, store.max_bytes)


def entries(*ends: int) -> list[Entry]:
    return [Entry(end, b"reading %d" % end) for end in ends]


def seqs(store: Store, **options: set[int]) -> list[int]:
    return [batch.envelope.seq for batch in store.pending(100, **options)]


def test_readings_come_back_in_order_after_reopening(store: Store, path: Path) -> None:
    assert store.append(entries(20, 10)) == range(1, 3)
    assert store.append(entries(30)) == range(3, 4)
    with_reopened = reopened(store, path)
    assert list(with_reopened.replay()) == [(1, 20, b"reading 20"), (2, 10, b"reading 10"), (3, 30, b"reading 30")]
    with_reopened.close()


def test_a_long_journal_is_replayed_whole_while_it_is_appended_to(store: Store) -> None:
    for _ in range(13):
        store.append(entries(*range(100)))
    seen = 0
    for number, (at, _, _) in enumerate(store.replay(), 1):
        assert at == number
        seen = at
        if number == 700:
            store.append(entries(1))
    assert seen == 1301


def test_appending_nothing_writes_nothing(store: Store) -> None:
    before = store.ledger().store_bytes
    assert len(store.append([])) == 0
    assert store.ledger().store_bytes == before


def test_a_row_of_many_readings_takes_as_many_ids_and_has_the_last(store: Store) -> None:
    store.append([Entry(10, b"one")])
    assert store.append([Entry(10, b"three", 3), Entry(20, b"two", 2)]) == range(2, 7)
    assert [(journal_id, body) for journal_id, _, body in store.replay()] == [(1, b"one"), (4, b"three"), (6, b"two")]
    assert store.append([Entry(10, b"next")]) == range(7, 8)
    assert store.ledger().journaled == 7


def test_journal_ids_are_not_given_again_after_everything_was_cut(store: Store, path: Path) -> None:
    store.append(entries(10, 10))
    store.cut([], NOW, closed=JournalMark(10, 2))
    again = reopened(store, path)
    assert list(again.replay()) == []
    assert again.append(entries(20)) == range(3, 4)
    assert again.ledger().journaled == 3
    again.close()


def test_a_cut_closes_only_rows_of_its_windows_up_to_its_id(store: Store) -> None:
    store.append(entries(10, 20, 10))
    store.append(entries(10))
    store.cut([encoded()], NOW, closed=JournalMark(10, 3))
    assert [at for at, _, _ in store.replay()] == [2, 4]
    store.cut([encoded()], NOW, closed=JournalMark(10, 4))
    assert [at for at, _, _ in store.replay()] == [2]


def test_a_late_row_of_a_closed_window_waits_for_the_next_cut(store: Store, path: Path) -> None:
    store.append(entries(10))
    store.cut([encoded()], NOW, closed=JournalMark(10, 1))
    store.append(entries(10))
    again = reopened(store, path)
    assert [at for at, _, _ in again.replay()] == [2]
    again.close()


@pytest.mark.parametrize("second", [JournalMark(9, 2), JournalMark(10, 1)])
def test_what_is_closed_never_descends_and_nothing_is_written(store: Store, second: JournalMark) -> None:
    store.append(entries(10, 10, 10))
    store.cut([encoded()], NOW, closed=JournalMark(10, 2))
    with pytest.raises(ValueError, match="descends"):
        store.cut([encoded()], NOW, closed=second, counters={"cuts": 1})
    assert seqs(store) == [1]
    assert store.ledger().counters == {}


def test_a_cut_is_all_or_nothing(store: Store) -> None:
    store.append(entries(10))
    store.cut([encoded()], NOW, sections=[remember("kept", {"a": b"1"})], counters={"cuts": 1})
    again = remember("kept", {"a": b"2"})
    with pytest.raises(OverflowError):
        store.cut([encoded()], NOW, closed=JournalMark(10, 1), sections=[again], counters={"cuts": 1, "huge": 2**70})
    assert seqs(store) == [1]
    assert store.section("kept").items() == {"a": b"1"}
    assert again.changed == {"kept/a": b"2"}
    assert store.ledger().counters == {"cuts": 1}
    assert len(list(store.replay())) == 1


def test_events_go_first_and_then_the_oldest(store: Store) -> None:
    kinds = ["summaries", "heartbeats", "rejects", "events", "inferences", "summaries", "events"]
    store.cut([encoded(kind) for kind in kinds], NOW)
    assert seqs(store) == [4, 7, 2, 5, 1, 6, 3]
    assert [batch.envelope.seq for batch in store.pending(2, skip={4, 2})] == [7, 5]
    assert [batch.envelope.seq for batch in store.batches(3, 2)] == [4, 5]


def test_a_batch_is_the_same_after_reopening(store: Store, path: Path) -> None:
    named = store.cut([encoded(body=b"\x00\xff verbatim"), encoded("events")], NOW)
    again = reopened(store, path)
    waiting = again.batches(0, 10)
    assert [batch.envelope for batch in waiting] == named
    assert [batch.body for batch in waiting] == [b"\x00\xff verbatim", b"body"]
    assert [envelope.batch_id for envelope in named] == [f"gw-1:{again.epoch}:1", f"gw-1:{again.epoch}:2"]
    assert named[0].cut_time == NOW
    again.close()


def test_seqs_are_not_given_again_after_all_is_confirmed(store: Store, path: Path) -> None:
    store.cut([encoded(), encoded()], NOW)
    store.confirm([1, 2])
    again = reopened(store, path)
    assert [envelope.seq for envelope in again.cut([encoded()], NOW)] == [3]
    again.close()


def test_confirming_twice_or_the_unknown_counts_once(store: Store) -> None:
    store.cut([encoded(), encoded()], NOW)
    store.confirm([1, 1])
    store.confirm([1, 99])
    ledger = store.ledger()
    assert (ledger.cut, ledger.confirmed, ledger.pending, ledger.dropped) == (2, 1, 1, 0)


def test_the_ledger_says_since_when_the_oldest_waits(store: Store) -> None:
    assert store.ledger().oldest_pending_time is None
    store.cut([encoded("rejects")], NOW)
    store.cut([encoded("events")], NOW + timedelta(minutes=1))
    assert store.ledger().oldest_pending_time == NOW
    store.confirm([1])
    assert store.ledger().oldest_pending_time == NOW + timedelta(minutes=1)


def test_a_section_is_what_was_committed_under_its_name_and_none_deletes(store: Store, path: Path) -> None:
    events = remember("event", {"a": b"1", "b/c": b"2", "": b"0"})
    others = [remember("event%", {"": b"4"}), remember("events", {"a": b"6"}), remember("évent", {"": b"5"})]
    store.cut([], NOW, sections=[events, *others])
    assert not events.changed
    events.set("a", None)
    events.set("b/c", b"22")
    store.cut([], NOW, sections=[events])
    again = reopened(store, path)
    assert again.section("event").items() == {"b/c": b"22", "": b"0"}
    assert again.section("évent").items() == {"": b"5"}
    assert again.section("even").items() == {}
    again.close()


def test_counters_add_up_over_restarts(store: Store, path: Path) -> None:
    store.cut([], NOW, counters={"readings_repeated": 2, "nothing": 0})
    again = reopened(store, path)
    again.cut([], NOW, counters={"readings_repeated": 3})
    assert again.ledger().counters == {"readings_repeated": 5}
    again.close()


def test_dedup_keys_of_the_last_commits_are_known_after_reopening(store: Store, path: Path) -> None:
    for number in range(COMMITS_REMEMBERED + 10):
        store.append(entries(10), number.to_bytes(8, "big") + (number << 40).to_bytes(8, "big"))
    store.cut([encoded()], NOW, closed=JournalMark(10, 10**6))
    again = reopened(store, path)
    known = again.recent_dedup_keys()
    assert known[-2:] == [COMMITS_REMEMBERED + 9, (COMMITS_REMEMBERED + 9) << 40]
    assert len(known) == 2 * COMMITS_REMEMBERED
    assert known[0] == 10
    again.close()


def test_the_epoch_stays_with_the_file_and_differs_between_files(store: Store, path: Path, tmp_path: Path) -> None:
    epoch = store.epoch
    again = reopened(store, path)
    assert again.epoch == epoch
    again.close()
    other = Store(tmp_path / "other.db", "gw-1", BOUND)
    assert other.epoch != epoch
    other.close()


def test_a_second_owner_is_told_to_stop_the_first(store: Store, path: Path) -> None:
    with pytest.raises(StoreLocked, match=r"store\.db is open in another process"):
        Store(path, "gw-1", BOUND)
    assert store.append(entries(10)) == range(1, 2)


def test_another_gateway_s_store_is_refused_and_left_alone(store: Store, path: Path) -> None:
    store.append(entries(10))
    store.close()
    with pytest.raises(StoreError, match="belongs to gateway 'gw-1', not 'gw-2'"):
        Store(path, "gw-2", BOUND)
    again = Store(path, "gw-1", BOUND)
    assert len(list(again.replay())) == 1
    again.close()


def test_a_file_that_is_no_store_is_refused_by_name(tmp_path: Path) -> None:
    text = tmp_path / "text.db"
    text.write_text("not a database at all, but long enough to be looked at" * 100)
    with pytest.raises(StoreError, match=r"text\.db"):
        Store(text, "gw-1", BOUND)
    foreign = tmp_path / "foreign.db"
    connection = sqlite3.connect(foreign)
    connection.execute("create table songs (title)")
    connection.close()
    with pytest.raises(StoreError, match=r"foreign\.db is a database, but not a TinyBeam store"):
        Store(foreign, "gw-1", BOUND)


def test_a_store_of_a_newer_gateway_is_refused(store: Store, path: Path) -> None:
    store.close()
    connection = sqlite3.connect(path)
    connection.execute("pragma user_version = 99")
    connection.execute("update state set value = 0 where name = 'tally'")
    connection.commit()
    connection.close()
    with pytest.raises(StoreError, match="newer"):
        Store(path, "gw-1", BOUND)


def test_a_store_of_the_version_before_becomes_one_that_its_gateway_refuses(store: Store, path: Path) -> None:
    store.append(entries(10))
    store.close()
    connection = sqlite3.connect(path)
    connection.execute("pragma user_version = 1")
    connection.execute("delete from state where name = 'tally'")
    connection.commit()
    connection.close()
    again = Store(path, "gw-1", BOUND)
    assert len(list(again.replay())) == 1
    again.close()
    connection = sqlite3.connect(path)
    assert connection.execute("pragma user_version").fetchone() == (3,)
    connection.close()


def test_too_small_a_bound_is_refused(path: Path) -> None:
    with pytest.raises(StoreError, match="at least"):
        Store(path, "gw-1", 1000)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(st.sampled_from(["summaries", "events", "rejects"]), st.booleans()), max_size=20))
def test_the_account_balances_whatever_is_cut_and_confirmed(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, bool]]
) -> None:
    store = Store(tmp_path_factory.mktemp("store") / "store.db", "gw-1", BOUND)
    confirmed = set()
    for kind, confirm in steps:
        (envelope,) = store.cut([encoded(kind)], NOW)
        if confirm:
            store.confirm([envelope.seq])
            confirmed.add(envelope.seq)
    ledger = store.ledger()
    assert (ledger.cut, ledger.confirmed) == (len(steps), len(confirmed))
    assert sorted(seqs(store)) == sorted(set(range(1, len(steps) + 1)) - confirmed)
    assert ledger.pending == len(seqs(store))
    store.close()
