"""One failing write or sync, wherever it strikes, is raised to the caller, loses nothing that was returned, and passes."""

import random
from dataclasses import dataclass, field
from pathlib import Path

import apsw
import pytest

from edge.store.store import Entry, Store, StoreError, StoreFull
from tests import long_form
from tests.edge.encoded import NOW, encoded
from tests.edge.power import Recorder

CALLS, STEP = long_form.number(20, 100), 1 if long_form.is_long() else 2
BYTES = 8 << 20
"""Room for all of it: what a full store does is another test's."""
SEED = 20260501


@dataclass(slots=True)
class Work:
    """What the calls returned, by number; the bodies of those that failed, and how they failed."""

    readings: dict[int, bytes] = field(default_factory=dict)
    batches: dict[int, bytes] = field(default_factory=dict)
    unknown: list[bytes] = field(default_factory=list)
    faults: list[StoreError] = field(default_factory=list)


def work(store: Store) -> Work:
    rng, done = random.Random(SEED), Work()
    for _ in range(CALLS):
        bodies = [rng.randbytes(rng.randint(1, 900)) * 4 for _ in range(5)]
        try:
            if rng.random() < 0.7:
                done.readings.update(zip(store.append([Entry(10, body) for body in bodies]), bodies, strict=True))
            else:
                if rng.random() < 0.5:  # too large for one commit
                    bodies = [body * 10 for body in bodies]
                named = store.cut([encoded(body=body) for body in bodies], NOW)
                done.batches.update(zip((envelope.seq for envelope in named), bodies, strict=True))
        except StoreError as fault:
            done.faults.append(fault)
            done.unknown += bodies
    return done


def extra(found: dict[int, bytes], returned: dict[int, bytes]) -> list[bytes]:
    """What the store holds beyond what it returned; all of that it must hold."""
    assert found.items() >= returned.items()
    return [body for number, body in found.items() if number not in returned]


def operations(folder: Path) -> tuple[int, int]:
    """After how many operations on the disk the store is made, and the work done, when nothing fails."""
    recorder = Recorder("counted")
    store = Store(folder / "counted.db", "gw-1", BYTES, connect=recorder.connect)
    born = len(recorder.log)
    assert not work(store).faults
    assert store.ledger().dropped == 0, "the store is full: a batch that is not there was not lost by a fault"
    store.close()
    return born, len(recorder.log)


@pytest.mark.parametrize(("error", "raised"), [(apsw.IOError, StoreError), (apsw.FullError, StoreFull)])
def test_a_fault_at_any_operation_loses_nothing(folder: Path, error: type[apsw.Error], raised: type[StoreError]) -> None:
    born, ended = operations(folder)
    seen = left_out = 0
    for at in range(born + 1, ended, STEP):
        long_form.progress(at - born, ended - born)
        recorder = Recorder("faulty")
        path = folder / f"store-{at}.db"
        store = Store(path, "gw-1", BYTES, connect=recorder.connect)
        recorder.fault = (at, error)
        done = work(store)
        recorder.fault = None
        store.close()
        assert len(done.faults) <= 1, f"operation {at}: the fault did not pass: {done.faults}"
        assert all(isinstance(fault, raised) for fault in done.faults)
        seen += len(done.faults)
        again = Store(path, "gw-1", BYTES)
        readings = extra({number: body for number, _, body in again.replay()}, done.readings)
        batches = extra({batch.envelope.seq: batch.body for batch in again.batches(0, 1000)}, done.batches)
        # A call that failed after its commit, in a checkpoint, is in the store whole; any other is not there at all.
        assert readings + batches in ([], done.unknown), f"operation {at}"
        left_out += done.unknown != readings + batches
        again.close()
        path.unlink()
    assert seen > 50, "hardly any fault was raised"
    assert left_out > seen // 2, "what is not stored is not missed"
    every = "each" if STEP == 1 else "every second"
    long_form.note("R4", measured=f"{every} of {ended - born:,} operations failed once (the last with {error.__name__}), 0 lost", seed=SEED)
    long_form.note(
        "R4", control=f"of {seen:,} calls that failed {left_out:,} had stored nothing: a caller who does not heed the fault loses those"
    )
