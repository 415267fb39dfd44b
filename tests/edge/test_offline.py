"""R8: three days without an uplink fit into the store, nothing is lost by them, and what is news goes up in front of all of it."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from bench.drain import EVENT_SECONDS, LIVE_SECONDS, TIMES_NOMINAL, Service
from edge.gateway import Gateway, MqttMessage
from edge.store.store import Lane, OutboxBatch, Store
from edge.uplink.allowance import SECTION, Allowance
from edge.uplink.limits import Limits, Wire
from edge.uplink.worker import UplinkWorker
from pipeline.body import rows_of
from program.backoff import Backoff
from schemas.envelope import Envelope
from schemas.intervals import IntervalSet
from tests import long_form
from tests.edge.gateways import START, config
from tests.waiting import eventually

DEVICES, EVERY = 100, timedelta(seconds=10)
"""Ten readings a second: 2,592,000 in 72 hours, which are 1.3 million rows."""
SHORT_STEPS = 180
STEPS = long_form.number(SHORT_STEPS, 72 * 360)
TURNS = long_form.number(2, 10)
BOUND = 512 << 20
SEED = 20260501
STRETCH_SECONDS = 130.0
"""The drain is measured for so long; with its pace all of it would take hours."""
QUARTER = timedelta(minutes=15)
CHANNELS = {"moisture": "m3/m3", "temperature": "degC", "battery": "V"}
DRY = {"name": "dry", "channel": "moisture", "below": 0.2, "hysteresis": 0.05}


class Sensors:
    """A hundred devices, each of which numbers its readings; one of them is now dry and now is not."""

    def __init__(self) -> None:
        self._rng, self.sent, self.dry = Random(SEED), 0, False

    def read(self, now: datetime) -> list[MqttMessage]:
        """A reading of each."""
        self.sent += 1
        return [self._message(device, now.timestamp()) for device in range(DEVICES)]

    def _message(self, device: int, now: float) -> MqttMessage:
        moisture = 0.1 if self.dry and not device else 0.3 + 0.02 * self._rng.random()
        values = {"moisture": moisture, "temperature": 20 + self._rng.gauss(0, 1), "battery": 3 + self._rng.random()}
        return MqttMessage(f"sensors/d{device}/readings", json.dumps({"time": now, "seq": self.sent, "values": values}).encode())


@dataclass(slots=True)
class Cloud:
    """Keeps what arrives, and answers as the service of the benchmark does."""

    service: Service = field(default_factory=Service)
    bodies: dict[int, tuple[str, bytes]] = field(default_factory=dict)

    def publish(self, batches: Sequence[OutboxBatch]) -> Future[None]:
        self.bodies |= {batch.envelope.seq: (batch.envelope.kind, batch.body) for batch in batches}
        return self.service.publish(batches)

    def refuses_only_this(self, error: BaseException) -> bool:
        return self.service.refuses_only_this(error)

    def close(self) -> None:
        self.service.close()

    def readings(self) -> Counter[tuple[str, int]]:
        """How often each reading (device, seq) is in a summary of the channel moisture."""
        found = Counter[tuple[str, int]]()
        for kind, body in self.bodies.values():
            for row in rows_of(body).to_pylist() if kind == "summaries" else ():
                if row["channel"] == "moisture":
                    found.update((row["device_id"], seq) for seq in IntervalSet(row["seq_ranges"]))
        return found


def wide_line(store: Store) -> Allowance:
    """A line whose bytes are limited has no other pace; this one carries more than there is."""
    limits = Limits(max_bytes_per_second=1 << 30)
    return Allowance(limits, Wire(0, lambda batch: len(batch.body)), store.section(SECTION), lambda: START)


class BacklogFirst:
    """A store that hands out what waits for longest first: for the negative control."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def pending(self, limit: int, *, skip: Collection[int] = (), lanes: Iterable[Lane] = Lane) -> list[OutboxBatch]:
        lanes = [Lane.BACKLOG, Lane.LIVE, Lane.URGENT] if Lane.URGENT in lanes else []
        return self._store.pending(limit, skip=skip, lanes=lanes)


class Offline:
    """A gateway that has been without an uplink; `cut` says of what was cut since then when that was."""

    def __init__(self, folder: Path, store: Store, steps: int) -> None:
        settings = config(
            folder,
            gateway={"heartbeat_seconds": 900},
            windows={"seconds": 60, "grace_seconds": 10},
            batches={"seconds": 900},
            sensors=[{"name": "soil", "devices": ["d*"], "channels": CHANNELS, "thresholds": [DRY]}],
        )
        self.sensors, self.store, self.now, self.largest = Sensors(), store, START, 0
        self._gateway = Gateway(settings, store, START)
        for step in range(steps):
            self.now += EVERY
            self._step()
            if step % 360 == 0:
                self.largest = max(self.largest, store.ledger().store_bytes)
                long_form.progress(step * DEVICES, steps * DEVICES)
        self.backlog = store.ledger().cut
        self.cut: dict[int, tuple[str, float]] = {}

    def quarter(self) -> None:
        """A quarter of an hour passes at once: an event, and summaries."""
        self.now += QUARTER
        self.sensors.dry = not self.sensors.dry
        self._note(self._step())
        self.now += timedelta(seconds=70)
        self._note(self._gateway.tick(self.now))

    def end(self) -> None:
        self._note(self._gateway.flush(self.now + timedelta(hours=1)))

    def wait_of(self, kind: str, cloud: Cloud) -> float:
        """How many seconds a batch of this kind took at most, from its cut to the cloud."""
        return max(cloud.service.arrived[seq] - at for seq, (of, at) in self.cut.items() if of == kind)

    def _step(self) -> list[Envelope]:
        return [*self._gateway.accept(self.sensors.read(self.now), self.now), *self._gateway.tick(self.now)]

    def _note(self, envelopes: Sequence[Envelope]) -> None:
        self.cut |= {envelope.seq: (envelope.kind, time.monotonic()) for envelope in envelopes}


@contextmanager
def reconnected(store: Any, cloud: Cloud, allowance: Allowance | None = None) -> Iterator[UplinkWorker]:
    uplink = UplinkWorker(store, cloud, backoff=Backoff(), allowance=allowance)
    uplink.start()
    try:
        yield uplink
    finally:
        uplink.stop(LIVE_SECONDS)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store(tmp_path / "store.db", "gw-1", BOUND)) as store:
        yield store


def test_three_days_offline_fit_and_what_is_news_goes_up_first(store: Store, tmp_path: Path) -> None:
    cloud, offline = Cloud(), Offline(tmp_path, store, STEPS)
    offline.quarter()
    began = time.monotonic()
    with reconnected(store, cloud) as uplink:
        for _ in range(TURNS):
            assert eventually(lambda: offline.cut.keys() <= cloud.service.arrived.keys())
            offline.quarter()
            uplink.wake()
        offline.end()
        uplink.wake()
        stretch = began + STRETCH_SECONDS
        assert eventually(lambda: store.ledger().pending == 0 or time.monotonic() >= stretch, 2 * STRETCH_SECONDS)
        seconds = time.monotonic() - began
    gone = sum(seq <= offline.backlog for seq in cloud.service.arrived)
    drained = STEPS * EVERY * gone / offline.backlog / timedelta(seconds=seconds)
    with reconnected(store, cloud, wide_line(store)):
        assert eventually(lambda: store.ledger().pending == 0, 300.0)
    event, live = offline.wait_of("events", cloud), offline.wait_of("summaries", cloud)
    assert event <= EVENT_SECONDS
    assert live <= LIVE_SECONDS
    assert drained >= TIMES_NOMINAL
    ledger, readings = store.ledger(), cloud.readings()
    assert set(readings.values()) == {1}, f"seed {SEED}"
    assert len(readings) + ledger.readings_dropped == ledger.journaled == offline.sensors.sent * DEVICES
    assert (ledger.dropped, ledger.counters.get("batches_thinned", 0)) == (0, 0)
    assert offline.largest <= BOUND
    rows = sum(rows_of(body).num_rows for seq, (_, body) in cloud.bodies.items() if seq <= offline.backlog)
    measured = (
        f"{STEPS * DEVICES:,} readings in {STEPS * EVERY} of compressed time took {offline.largest:,} bytes, 0 lost, 0 thinned, 0 doubled; "
        f"behind {rows:,} rows an event waited {event:.2f} s at most, live summaries {live:.2f} s; drained at {drained:,.0f} times nominal"
    )
    long_form.note("R8", measured=measured, seed=SEED)


def test_where_the_oldest_goes_first_an_event_waits_for_all_of_it(store: Store, tmp_path: Path) -> None:
    """The negative control."""
    cloud, offline = Cloud(), Offline(tmp_path, store, SHORT_STEPS)
    offline.quarter()
    with reconnected(BacklogFirst(store), cloud):
        assert eventually(lambda: store.ledger().pending == 0)
    event = next(seq for seq, (kind, _) in offline.cut.items() if kind == "events")
    before = list(cloud.service.arrived).index(event)
    assert before >= offline.backlog
    long_form.note("R8", control=f"a store that hands out the oldest first lets the event wait for all {before:,} batches")
