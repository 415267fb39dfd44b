"""The store after a loss of power at any write is the store before or after the call that was under way, whole."""

import random
import shutil
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.store.database import MIN_BYTES
from edge.store.store import Entry, JournalMark, Store, StoreError
from schemas.records import KINDS
from tests import long_form
from tests.edge.encoded import NOW, encoded
from tests.edge.power import Operation, Recorder, images
from tests.edge.sections import remember

BOUND, CALLS = 3 * MIN_BYTES // 2, 300
CUTS = long_form.number(6000, 100_000)
CONTROL_CUTS = long_form.number(1000, 10_000)
SEED = 20260501


@dataclass(frozen=True, slots=True)
class Recording:
    """All operations on the disk, and after which of them each call returned with the store in which state."""

    log: list[Operation]
    returned: list[int]
    states: list[Any]

    def allowed(self, cut: int) -> list[Any]:
        """What a store that keeps its promise may hold after this cut: everything acknowledged, and the call under way or not."""
        known = sum(at <= cut for at in self.returned)
        return self.states[max(known - 1, 0) : known + 1]


def state(store: Store) -> Any:
    """All that can be seen of a store."""
    ledger = store.ledger()
    return (
        store.epoch,
        list(store.replay()),
        [(batch.envelope, batch.body) for batch in store.batches(0, 10_000)],
        dict(store.section("m").items()),
        (ledger.journaled, ledger.cut, ledger.confirmed, ledger.dropped_ranges, ledger.counters),
        store.recent_dedup_keys(),
    )


def step(store: Store, rng: random.Random, number: int) -> None:
    """One call, like those that a gateway makes."""
    dice = rng.random()
    if dice < 0.6:
        store.append([Entry(10 * number, rng.randbytes(rng.randint(1, 900))) for _ in range(rng.randint(1, 8))], rng.randbytes(16))
    elif dice < 0.85:
        # One in ten is too large for one commit.
        most, count = (25_000, 9) if rng.random() < 0.1 else (9000, rng.randint(0, 2))
        batches = [encoded(kind, rng.randbytes(rng.randint(most // 2, most))) for kind in rng.choices(list(KINDS), k=count)]
        closed = JournalMark(10 * (number - 5), store.ledger().journaled)
        store.cut(batches, NOW, closed=closed, sections=[remember("m", {str(number % 7): rng.randbytes(30)})], counters={"cuts": 1})
    else:
        store.confirm([batch.envelope.seq for batch in store.pending(4)])


def record(folder: Path, synchronous: str) -> Recording:
    rng = random.Random(SEED)
    recorder = Recorder(f"recorder-{synchronous}", synchronous=synchronous)
    store = Store(folder / "store.db", "gw-1", BOUND, connect=recorder.connect)
    recording = Recording(recorder.log, [len(recorder.log)], [state(store)])
    for number in range(1, CALLS + 1):
        step(store, rng, number)
        recording.returned.append(len(recorder.log))
        recording.states.append(state(store))
    assert store.ledger().dropped == 0, "a drop is a call of its own, which this oracle does not know"
    return recording


def verdict(folder: Path, allowed: list[Any], earlier: list[Any]) -> str:
    try:
        store = Store(folder / "store.db", "gw-1", BOUND)
    except StoreError:
        return "corrupt"
    try:
        sound = store._database.read("pragma integrity_check") == [("ok",)]
        found = state(store)
    finally:
        store.close()
    if not sound:
        return "corrupt"
    if found in allowed:
        return "kept"
    return "lost" if found in earlier else "other"


def outcomes(recording: Recording, folder: Path, count: int) -> Counter[str]:
    rng = random.Random(SEED)
    born = recording.returned[0]
    cuts = sorted(rng.choices(range(born, len(recording.log) + 1), k=count))
    counted: Counter[str] = Counter()
    for number, (cut, files) in enumerate(images(recording.log, cuts, rng)):
        disk = folder / f"disk-{number}"
        disk.mkdir()
        for name, content in files.items():
            (disk / name).write_bytes(content)
        if number % 500 == 0:
            long_form.progress(number, count)
        counted[verdict(disk, recording.allowed(cut), recording.states)] += 1
        shutil.rmtree(disk)
    return counted


def test_nothing_acknowledged_is_lost_and_nothing_is_half_done(folder: Path) -> None:
    assert outcomes(record(folder, "full"), folder, CUTS) == {"kept": CUTS}, f"seed {SEED}"
    long_form.note("R2", measured=f"{CUTS:,} cuts, 0 lost, 0 corrupt, 0 half done", seed=SEED)


def test_with_synchronous_normal_the_same_cuts_do_lose(folder: Path) -> None:
    counted = outcomes(record(folder, "normal"), folder, CONTROL_CUTS)
    assert counted["lost"] > CONTROL_CUTS // 10, f"{counted}: this test cannot see a loss"
    assert counted["corrupt"] == 0
    control = f"with synchronous=NORMAL {counted['lost']:,} of {CONTROL_CUTS:,} cuts lost what was acknowledged"
    long_form.note("R2", control=control)


def test_power_lost_while_the_store_is_made_leaves_one_that_can_be_used(folder: Path) -> None:
    recording = record(folder, "full")
    rng = random.Random(SEED)
    cuts = sorted(rng.choices(range(recording.returned[0]), k=200))
    for number, (_, files) in enumerate(images(recording.log, cuts, rng)):
        disk = folder / f"new-{number}"
        disk.mkdir()
        for name, content in files.items():
            (disk / name).write_bytes(content)
        store = Store(disk / "store.db", "gw-1", BOUND)
        assert store.append([Entry(10, b"reading")]) == range(1, 2)
        store.close()
