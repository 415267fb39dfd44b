"""Before a full store drops anything it thins, and no reading is lost or sent twice by that: short form of promise R6."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack, closing
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from edge.store.batch import BatchLimits, encode_all
from edge.store.database import MIN_BYTES
from edge.store.form import decoded
from edge.store.store import OutboxBatch, Store
from edge.summaries.thin import STEPS, thinned
from schemas import sketch
from schemas.envelope import MAX_BODY_BYTES
from schemas.intervals import IntervalSet
from schemas.records import Kind, Summary
from tests import long_form
from tests.edge.encoded import NOW, encoded
from tests.edge.folders import memory_folder

Readings = frozenset[tuple[str, int]]
"""Sensor and its number."""
DEVICES = 8
RUNS, STEPS_OF_RUN = long_form.number(12, 500), 40 if long_form.is_long() else 30
SETTINGS = settings(deadline=None, max_examples=RUNS, stateful_step_count=STEPS_OF_RUN, derandomize=True, phases=[Phase.generate])
SEEN: Counter[str] = Counter()
"""What the machine came to, over all its runs."""


def minute(number: int, rng: Random) -> list[Summary]:
    """A window of each device, with one reading."""
    start = NOW + timedelta(minutes=number)
    return [row(f"d{device}", number, [rng.uniform(0, 100) for _ in range(5)], start) for device in range(DEVICES)]


def row(device: str, seq: int, values: list[float], start: datetime) -> Summary:
    """A row of one reading that takes as many bytes as one of many."""
    low, value, last, m2, offset = sorted(values)
    return Summary(
        device_id=device,
        channel="c",
        unit="",
        window_start=start,
        window_seconds=60,
        count=1,
        sum=value,
        m2=m2,
        min=low,
        max=last,
        last=last,
        last_time=start,
        seq_ranges=(seq, seq),
        sketch=sketch.of([value]),
        late=False,
        time_quality="synced",
        clock_offset_ms=offset,
    )


def waiting(store: Store) -> list[OutboxBatch]:
    """What is in the outbox, without being handed out."""
    return store._outbox.load([key for (key,) in store._database.read("select seq from outbox where seq <= ?", store._outbox.last_key)])


def content(batch: OutboxBatch) -> Readings:
    if batch.envelope.kind != Kind.SUMMARIES:
        return frozenset()
    rows = decoded(batch.body)
    found = [(each["device_id"], seq) for each in rows for seq in IntervalSet(each["seq_ranges"])]
    assert sum(each["count"] for each in rows) == len(found) == len(set(found))
    return frozenset(found)


def fill(store: Store, free: int = 40) -> None:
    """Leaves so many pages for summaries: what is tried here need not take long."""
    while store._database.free_pages() > free:
        store.cut([encoded("events", bytes(min(20_000, 4096 * (store._database.free_pages() - free))))], NOW)


class ThinningStore(RuleBasedStateMachine):
    """A small store against sets: each reading is in one batch that waits, was confirmed or was dropped; and the cloud has none twice."""

    version = BatchLimits().schema_version

    def __init__(self) -> None:
        super().__init__()
        self.exit = ExitStack()
        self.folder = self.exit.enter_context(memory_folder())
        self.rng = Random(20261127)
        self.minutes = 0
        self.cut: set[tuple[str, int]] = set()
        self.lost: set[tuple[str, int]] = set()
        self.of: dict[int, Readings] = {}
        self.cloud: dict[int, Readings] = {}
        self.confirmed: set[int] = set()
        self.open()

    def open(self) -> None:
        self.store = Store(self.folder / "store.db", "gw-1", MIN_BYTES)
        self.store.thin_by(thinned, STEPS, MAX_BODY_BYTES)

    @initialize()
    def fill_with_events(self) -> None:
        fill(self.store, 18)

    @rule(minutes=st.integers(5, 25), events=st.sampled_from([0, 0, 0, 1, 4]))
    def cut_windows(self, minutes: int, events: int) -> None:
        rows = [each for number in range(self.minutes, self.minutes + minutes) for each in minute(number, self.rng)]
        self.minutes += minutes
        self.cut |= {(each.device_id, each.seq_ranges[0]) for each in rows}
        batches = encode_all(Kind.SUMMARIES, rows, [1] * len(rows), BatchLimits(schema_version=self.version))
        assert len(batches) == 1
        dropped, before = self.store.ledger().dropped, self.store._outbox.last_key
        self.store.cut([*batches, *[encoded("events", bytes(7000))] * events], NOW + timedelta(minutes=self.minutes))
        if self.store.ledger().dropped > dropped:
            assert not self.fine(before), "something was dropped while it could have been thinned"

    def fine(self, before: int) -> list[int]:
        sql = """select seq from outbox where priority = 1 and seq <= ? and seq not in (select seq from attempted)
                 and seq not in (select seq from coarse where seconds = 3600)"""
        return [key for (key,) in self.store._database.read(sql, before)]

    @rule(count=st.integers(1, 4), answers=st.sampled_from(["all", "none", "first", "lost"]))
    def send(self, count: int, answers: str) -> None:
        """Hands batches out, most often summaries. An answer may be lost behind a batch that arrived; an attempt may fail."""
        events = [key for (key,) in self.store._database.read("select seq from outbox where priority > 1")]
        for number, batch in enumerate(self.store.pending(count, skip=events[1:])):
            if answers != "none":
                assert self.cloud.setdefault(batch.key, content(batch)) == content(batch)
            if answers == "all" or (answers == "first" and not number):
                self.store.confirm([batch.key])
                self.confirmed.add(batch.key)

    @rule()
    def reopen(self) -> None:
        self.store.close()
        self.open()

    @invariant()
    def each_reading_is_in_one_place(self) -> None:
        ledger, outbox = self.store.ledger(), {}
        for batch in waiting(self.store):
            outbox[batch.key] = self.of[batch.key] = self.of.get(batch.key) or content(batch)
            assert batch.envelope.schema_version == self.version or batch.envelope.kind != Kind.SUMMARIES
        dropped, merged = IntervalSet(ledger.dropped_ranges), IntervalSet(ledger.thinned_ranges)
        assert (len(dropped), len(merged)) == (ledger.dropped, ledger.thinned)
        assert ledger.cut == len(outbox) + len(self.confirmed) + len(dropped) + len(merged)
        places = [*outbox.values(), *(self.of[key] for key in self.confirmed)]
        assert sum(map(len, places)) == len(self.cut) - ledger.readings_dropped
        lost = self.cut.difference(*places)
        assert len(lost) == ledger.readings_dropped
        assert self.lost <= lost
        self.lost = lost
        arrived = self.cloud | outbox
        assert sum(map(len, arrived.values())) == len(frozenset().union(*arrived.values())), "a reading is under two names"

    def teardown(self) -> None:
        SEEN.update(thinned=self.store.ledger().thinned, dropped=self.store.ledger().dropped, confirmed=len(self.confirmed))
        self.store.close()
        self.exit.close()


def test_each_reading_waits_was_confirmed_or_was_dropped_and_arrives_under_one_name() -> None:
    run_state_machine_as_test(ThinningStore, settings=SETTINGS)
    assert min(SEEN["thinned"], SEEN["dropped"], SEEN["confirmed"]) > 10, f"{SEEN}: hardly anything happened"
    said = f"{RUNS:,} runs of at most {STEPS_OF_RUN} steps, exact: {SEEN['thinned']:,} batches thinned, {SEEN['dropped']:,} dropped"
    long_form.note("R6", measured=said)


def offline(store: Store, minutes: int, schema_version: str = BatchLimits().schema_version) -> int:
    """Cuts a quarter of an hour after the other; returns how many readings that are."""
    rng, total = Random(1), 0
    for at in range(0, minutes, 15):
        rows = [each for number in range(at, at + 15) for each in minute(number, rng)]
        limits = BatchLimits(schema_version=schema_version)
        store.cut(encode_all(Kind.SUMMARIES, rows, [1] * len(rows), limits), NOW + timedelta(minutes=at))
        total += len(rows)
    return total


def test_a_store_offline_for_long_keeps_every_reading_where_it_would_have_dropped_most(tmp_path: Path) -> None:
    """The same batches, with and without: what a small part of a store keeps of eight hours."""
    kept = {}
    for thins in (False, True):
        with closing(Store(tmp_path / f"{thins}.db", "gw-1", MIN_BYTES)) as store:
            fill(store)
            if thins:
                store.thin_by(thinned, STEPS, MAX_BODY_BYTES)
            total = offline(store, 480)
            kept[thins] = sum(len(content(batch)) for batch in waiting(store))
            assert store.ledger().readings_dropped == total - kept[thins]
            assert store.ledger().oldest_pending_time == NOW
    assert kept[True] == total
    assert kept[False] < 0.7 * total


@pytest.mark.parametrize("most", [MAX_BODY_BYTES, 4000])
def test_what_is_merged_is_no_larger_than_the_uplink_takes(tmp_path: Path, most: int) -> None:
    with closing(Store(tmp_path / "store.db", "gw-1", MIN_BYTES)) as store:
        fill(store)
        store.thin_by(thinned, STEPS, most)
        offline(store, 480)
        summaries = [batch.body for batch in waiting(store) if batch.envelope.kind == Kind.SUMMARIES]
        sizes = [len(body) for body in summaries if "fidelity" in decoded(body)[0]]
        assert sizes
        assert (max(sizes) > 4000) == (most > 4000)


def test_what_an_earlier_pipeline_reads_is_thinned_in_its_own_form(tmp_path: Path) -> None:
    with closing(Store(tmp_path / "store.db", "gw-1", MIN_BYTES)) as store:
        fill(store)
        store.thin_by(thinned, STEPS, MAX_BODY_BYTES)
        offline(store, 480, "1.1")
        assert store.ledger().thinned
        batches = [batch for batch in waiting(store) if batch.envelope.kind == Kind.SUMMARIES]
        assert {batch.envelope.schema_version for batch in batches} == {"1.1"}
        assert not [batch for batch in batches if "fidelity" in decoded(batch.body)[0]]


@pytest.mark.parametrize("is_noted", [True, False])
def test_a_batch_that_was_handed_out_is_never_merged_and_where_that_is_not_kept_it_is(tmp_path: Path, is_noted: bool) -> None:
    """It may have arrived: then its readings would come under two names."""
    with closing(Store(tmp_path / "store.db", "gw-1", MIN_BYTES)) as store:
        fill(store)
        if not is_noted:
            store._outbox._note_attempts = lambda keys: None  # type: ignore[method-assign]
        store.thin_by(thinned, STEPS, MAX_BODY_BYTES)
        offline(store, 45)
        events = [key for (key,) in store._database.read("select seq from outbox where priority > 1")]
        handed_out = {batch.envelope.seq for batch in store.pending(3, skip=events)}
        offline(store, 360)
        assert len(handed_out) == 3
        assert store.ledger().thinned
        assert handed_out.isdisjoint(IntervalSet(store.ledger().thinned_ranges)) == is_noted
    if not is_noted:
        long_form.note("R6", control="where it is not kept which batches were handed out, these were merged into others, and came twice")
