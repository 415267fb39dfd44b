"""Before a full store drops anything it thins, and no reading is lost or sent twice by that: short form of promise R6."""

from __future__ import annotations

from contextlib import ExitStack, closing
from datetime import timedelta
from pathlib import Path
from random import Random

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from edge.store.batch import BatchLimits, encode_all
from edge.store.database import MIN_BYTES
from edge.store.form import decoded
from edge.store.store import OutboxBatch, Store
from edge.summaries.thin import STEPS, thinned
from schemas import sketch
from schemas.intervals import IntervalSet
from schemas.records import Kind, Summary
from tests.edge.encoded import NOW, encoded
from tests.edge.folders import memory_folder

Readings = frozenset[tuple[str, int]]
"""Sensor and its number."""
DEVICES = 30


def minute(number: int, rng: Random) -> list[Summary]:
    """A window of each device, with one reading."""
    start = NOW + timedelta(minutes=number)
    return [row(f"d{device}", number, rng.uniform(0, 100), start) for device in range(DEVICES)]


def row(device: str, seq: int, value: float, start: object) -> Summary:
    return Summary(
        device_id=device,
        channel="c",
        unit="",
        window_start=start,  # type: ignore[arg-type]
        window_seconds=60,
        count=1,
        sum=value,
        m2=0.0,
        min=value,
        max=value,
        last=value,
        last_time=start,  # type: ignore[arg-type]
        seq_ranges=(seq, seq),
        sketch=sketch.of([value]),
        late=False,
        time_quality="synced",
        clock_offset_ms=value / 7,
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
        self.of: dict[int, Readings] = {}
        self.cloud: dict[int, Readings] = {}
        self.confirmed: set[int] = set()
        self.open()

    def open(self) -> None:
        self.store = Store(self.folder / "store.db", "gw-1", MIN_BYTES)
        self.store.thin_by(thinned, STEPS)

    @rule(minutes=st.integers(1, 25), events=st.integers(0, 2))
    def cut_windows(self, minutes: int, events: int) -> None:
        rows = [each for number in range(self.minutes, self.minutes + minutes) for each in minute(number, self.rng)]
        self.minutes += minutes
        self.cut |= {(each.device_id, each.seq_ranges[0]) for each in rows}
        batches = encode_all(Kind.SUMMARIES, rows, [1] * len(rows), BatchLimits(schema_version=self.version))
        dropped, before = self.store.ledger().dropped, self.store._outbox.last_key
        named = self.store.cut([*batches, *[encoded("events", bytes(3000))] * events], NOW + timedelta(minutes=self.minutes))
        # One that finds no room is never seen in the outbox.
        self.of[named[0].seq] = frozenset((each.device_id, each.seq_ranges[0]) for each in rows)
        if self.store.ledger().dropped > dropped:
            assert not self.fine(before), "something was dropped while it could have been thinned"

    def fine(self, before: int) -> list[int]:
        sql = """select seq from outbox where priority = 1 and seq <= ? and seq not in (select seq from attempted)
                 and seq not in (select seq from coarse where seconds = 3600)"""
        return [key for (key,) in self.store._database.read(sql, before)]

    @rule(count=st.integers(1, 4), answers=st.sampled_from(["all", "none", "first", "lost"]))
    def send(self, count: int, answers: str) -> None:
        """Hands batches out. An answer may be lost behind a batch that arrived; an attempt may fail."""
        for number, batch in enumerate(self.store.pending(count)):
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
        lost = [self.of.get(seq, frozenset()) for seq in dropped]
        assert sum(map(len, lost)) == ledger.readings_dropped
        places = [*outbox.values(), *(self.of[key] for key in self.confirmed), *lost]
        assert sum(map(len, places)) == len(self.cut)
        assert frozenset().union(*places) == self.cut
        arrived = self.cloud | outbox
        assert sum(map(len, arrived.values())) == len(frozenset().union(*arrived.values())), "a reading is under two names"

    def teardown(self) -> None:
        self.store.close()
        self.exit.close()


TestThinningStore = ThinningStore.TestCase
TestThinningStore.settings = settings(deadline=None, max_examples=25, stateful_step_count=40)


def test_a_store_offline_for_long_keeps_every_reading_where_it_would_have_dropped_most(tmp_path: Path) -> None:
    """The same batches, with and without: what a store of 1 MiB keeps of two days of 30 devices."""
    kept = {}
    for thins in (False, True):
        with closing(Store(tmp_path / f"{thins}.db", "gw-1", MIN_BYTES)) as store:
            if thins:
                store.thin_by(thinned, STEPS)
            rng, total = Random(1), 0
            for at in range(0, 1200, 15):
                rows = [each for number in range(at, at + 15) for each in minute(number, rng)]
                store.cut(encode_all(Kind.SUMMARIES, rows, [1] * len(rows), BatchLimits()), NOW + timedelta(minutes=at))
                total += len(rows)
            kept[thins] = sum(len(content(batch)) for batch in waiting(store)) / total
            assert store.ledger().oldest_pending_time is not None
            assert store.ledger().readings_dropped == total - round(kept[thins] * total)
    assert kept[True] == 1.0
    assert kept[False] < 0.7


def test_what_an_earlier_pipeline_reads_is_thinned_in_its_own_form(tmp_path: Path) -> None:
    with closing(Store(tmp_path / "store.db", "gw-1", MIN_BYTES)) as store:
        store.thin_by(thinned, STEPS)
        rng = Random(1)
        for at in range(0, 600, 15):
            rows = [each for number in range(at, at + 15) for each in minute(number, rng)]
            store.cut(encode_all(Kind.SUMMARIES, rows, [1] * len(rows), BatchLimits(schema_version="1.1")), NOW)
        assert store.ledger().thinned
        assert {batch.envelope.schema_version for batch in waiting(store)} == {"1.1"}
        assert {"fidelity"}.isdisjoint(*(decoded(batch.body)[0] for batch in waiting(store)))
