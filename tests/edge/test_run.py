"""The loop between broker, core and uplink: acknowledged is what is stored, and a full store is no end."""

from __future__ import annotations

import errno
import json
import logging
import math
import shutil
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
from msgspec.structs import replace

from edge import loop as loop_module
from edge import run
from edge.config import Config
from edge.gateway import Gateway
from edge.health import HealthStatus
from edge.intake.client import Incoming
from edge.loop import Loop
from edge.settings.models import ModelSettings
from edge.store.store import DiskFault, Store, StoreError, StoreFull
from edge.timekeeper import Moment
from lab.services.child import free_port
from schemas.envelope import Envelope
from tests.edge.broker_twin import BrokerTwin
from tests.edge.gateways import START, config, message
from tests.edge.shapes import described

SOIL = Path(__file__).parents[2] / "models" / "soil"


class MessageSource:
    """Hands over what waits, and remembers what was acknowledged."""

    state = "online"

    def __init__(self, store: Store) -> None:
        self._store = store
        self.waiting: list[Incoming] = []
        self.acknowledged: list[int] = []
        self.waits: list[float] = []
        self.stored_at_acknowledgement = 0

    def take(self, seconds: float) -> list[Incoming]:
        self.waits.append(seconds)
        incoming, self.waiting = self.waiting, []
        return incoming

    def acknowledge(self, incoming: list[Incoming]) -> None:
        self.stored_at_acknowledgement = self._store.ledger().journaled
        self.acknowledged += [one.packet for one in incoming]


class UplinkHandle:
    state, day = "offline", None

    def wake(self) -> None:
        self.woken = True


class HealthTwin:
    """In place of the health server."""

    def __init__(self) -> None:
        self.statuses: list[HealthStatus] = []

    def report(self, status: HealthStatus) -> None:
        self.statuses.append(status)


class SometimesFull:
    """A store without room for so many appends, or other calls."""

    def __init__(self, store: Store, failures: int, call: str = "append") -> None:
        self._store, self.failures, self._call = store, failures, call

    def __getattr__(self, name: str) -> Any:
        if name == self._call and self.failures:
            self.failures -= 1
            raise StoreFull("no room")
        return getattr(self._store, name)


def incoming(count: int) -> list[Incoming]:
    return [Incoming(message("d1", {"seq": seq, "values": {"moisture": 0.3}}), seq, 1) for seq in range(1, count + 1)]


@pytest.fixture
def store(tmp_path: Path) -> Any:
    store = Store(tmp_path / "store.db", "gw-1", 64 << 20)
    yield store
    store.close()


def test_what_is_acknowledged_is_stored_before(store: Store, tmp_path: Path) -> None:
    source = MessageSource(store)
    loop = Loop(Gateway(config(tmp_path), store, START), source, UplinkHandle(), None, threading.Event())
    source.waiting = incoming(3)
    loop.turn()
    assert (source.acknowledged, source.stored_at_acknowledgement) == ([1, 2, 3], 3)


def test_a_full_store_stops_acknowledging_says_so_and_goes_on(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "tinybeam.edge")
    monkeypatch.setattr(loop_module, "FULL_SECONDS", 0.0)
    monkeypatch.setattr(loop_module, "TICK_SECONDS", 0.0)
    monkeypatch.setattr(loop_module, "REPORT_SECONDS", 0.0)
    source, health = MessageSource(store), HealthTwin()
    gateway = Gateway(config(tmp_path), SometimesFull(store, 3), START)  # type: ignore[arg-type]
    loop = Loop(gateway, source, UplinkHandle(), health, threading.Event())  # type: ignore[arg-type]
    # Nothing would tell a repetition of these from another reading.
    source.waiting = [Incoming(message("d1", {"values": {"moisture": 0.3}}), packet, 1) for packet in (1, 2)]
    loop.turn()
    assert [status.full for status in health.statuses][:3] == [True, True, True]
    assert not health.statuses[-1].full
    assert source.acknowledged == [1, 2]
    assert store.ledger().journaled == 2
    assert [record.getMessage().split(":")[0] for record in caplog.records if record.name == "tinybeam.edge.loop"] == [
        "readings are not acknowledged until there is room again",
        "there is room again; readings are acknowledged",
    ]


def test_room_is_noticed_though_no_message_comes(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who posts readings is refused while it is full: none would ever come to show that there is room again."""
    monkeypatch.setattr(loop_module, "TICK_SECONDS", 0.0)
    gateway = Gateway(config(tmp_path), SometimesFull(store, 1, "cut"), START)  # type: ignore[arg-type]
    loop = Loop(gateway, MessageSource(store), UplinkHandle(), None, threading.Event())
    loop.turn()
    assert loop.full
    loop.turn()
    assert not loop.full


def test_a_full_store_does_not_hold_up_the_end(store: Store, tmp_path: Path) -> None:
    stopping = threading.Event()
    source = MessageSource(store)
    gateway = Gateway(config(tmp_path), SometimesFull(store, 10**6), START)  # type: ignore[arg-type]
    loop = Loop(gateway, source, UplinkHandle(), None, stopping)
    source.waiting = incoming(2)
    thread = threading.Thread(target=loop.run)
    thread.start()
    stopping.set()
    thread.join(10)
    assert not thread.is_alive()
    assert source.acknowledged == []


class Resting:
    """A core whose next window closes in so many seconds."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def seconds_to_close(self, _now: datetime) -> float:
        return self._seconds

    def note_clock(self, moment: Moment) -> None:
        pass

    def sensors_offset(self, _now: datetime) -> None:
        pass

    def tick(self, _now: datetime) -> list[Any]:
        return []


@pytest.mark.parametrize(("to_close", "rests"), [(math.inf, 1.0), (30.0, 1.0), (0.5, 0.5), (-3.0, 0.2)])
def test_the_loop_is_still_until_something_falls_due(store: Store, to_close: float, rests: float) -> None:
    source = MessageSource(store)
    loop = Loop(Resting(to_close), source, UplinkHandle(), None, threading.Event())  # type: ignore[arg-type]
    loop._next_report = math.inf
    loop.turn()
    assert source.waits == [rests]


def test_a_gateway_knows_when_its_next_window_closes(store: Store, tmp_path: Path) -> None:
    gateway = Gateway(config(tmp_path), store, START)
    assert gateway.seconds_to_close(START) == math.inf
    gateway.accept([message("d1", {"time": START.timestamp() + 3, "values": {"moisture": 0.3}})], START)
    assert gateway.seconds_to_close(START) == 12.0
    gateway.tick(START + timedelta(seconds=12))
    assert gateway.seconds_to_close(START + timedelta(seconds=12)) == math.inf


class FailingStore(Store):
    """A store on a disk that gives an error at the first cut, and does not let itself be opened the next time."""

    opened = 0
    cuts = threading.Event()

    def __init__(self, *args: Any, **named: Any) -> None:
        type(self).opened += 1
        if self.opened == 2:
            raise StoreError("disk I/O error")
        super().__init__(*args, **named)

    def cut(self, *args: Any, **named: Any) -> list[Envelope]:
        if self.opened == 1:
            raise StoreError("disk I/O error")
        envelopes = super().cut(*args, **named)
        self.cuts.set()
        return envelopes


class WatchedStore(Store):
    """Says when something was cut."""

    cuts = threading.Event()

    def cut(self, *args: Any, **named: Any) -> list[Envelope]:
        envelopes = super().cut(*args, **named)
        self.cuts.set()
        return envelopes


def runs_until_it_cuts(settings: Config, store: type[WatchedStore | FailingStore]) -> None:
    """Runs a gateway without a broker and an uplink until it has cut a batch."""
    stopping = threading.Event()
    store.cuts.clear()
    gateway = threading.Thread(target=run.run, args=(settings, stopping, store))
    gateway.start()
    try:
        assert store.cuts.wait(60)
    finally:
        stopping.set()
        gateway.join(60)
    assert not gateway.is_alive()


@pytest.fixture
def without_uplink(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", f"127.0.0.1:{free_port()}")
    monkeypatch.setattr(run, "UPLINK_SECONDS", 0.0)


@pytest.fixture
def alone(tmp_path: Path, without_uplink: None) -> Config:
    return config(tmp_path, mqtt={"port": free_port()}, health={"port": 0})


def test_a_gateway_that_runs_subscribes_to_the_topics_of_all_its_classes(tmp_path: Path, without_uplink: None) -> None:
    stopping = threading.Event()
    with BrokerTwin() as broker:
        one = described(topics=["north/{device}", "$share/farm/{device}/state"])
        classes = [{**one, "devices": ["a*"]}, {**described(topics=["south/{device}"]), "name": "two"}]
        settings = config(tmp_path, mqtt={"port": broker.port}, health={"port": 0}, sensors=classes)
        gateway = threading.Thread(target=run.run, args=(settings, stopping))
        gateway.start()
        try:
            assert broker.subscribed.wait(60)
        finally:
            stopping.set()
            gateway.join(60)
        assert broker.subscriptions == ["north/+", "$share/farm/+/state", "south/+"]


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "tinybeam.edge.run" and record.levelno >= logging.ERROR]


def test_a_damaged_store_is_set_aside_in_a_sentence_and_the_gateway_runs(alone: Config, caplog: pytest.LogCaptureFixture) -> None:
    """Case 16: a traceback, and exit 1 at each start."""
    alone.store_file.parent.mkdir()
    alone.store_file.write_bytes(bytes(8192))
    runs_until_it_cuts(alone, WatchedStore)
    assert alone.store_file.with_name("store.db.damaged").read_bytes() == bytes(8192)
    [sentence] = errors(caplog)
    assert "is damaged" in sentence
    assert "0 waiting batches of it go on" in sentence


def test_a_store_that_fails_while_it_runs_is_waited_for(alone: Config) -> None:
    """Case 32: an error of the disk, and the process ended."""
    runs_until_it_cuts(alone, FailingStore)
    assert FailingStore.opened == 3


@pytest.mark.parametrize("fault", [DiskFault("disk I/O error"), StoreFull("the disk is full"), OSError(errno.EIO, "Input/output error")])
def test_a_disk_that_fails_at_the_first_start_is_waited_for(alone: Config, caplog: pytest.LogCaptureFixture, fault: Exception) -> None:
    """Case 32: it ended the process where the first start met it."""

    class FailsAtFirst(WatchedStore):
        faults: ClassVar = [fault, fault]

        def __init__(self, *args: Any, **named: Any) -> None:
            if self.faults:
                raise self.faults.pop()
            super().__init__(*args, **named)

    runs_until_it_cuts(alone, FailsAtFirst)
    assert len([sentence for sentence in errors(caplog) if "starts anew from it" in sentence]) == 2


def test_what_fails_at_a_start_leaves_the_address_of_the_page_free(tmp_path: Path, without_uplink: None) -> None:
    class FailsAtReplay(WatchedStore):
        faults: ClassVar = [DiskFault("disk I/O error")]

        def replay(self) -> Iterator[tuple[int, int, bytes]]:
            if self.faults:
                raise self.faults.pop()
            return super().replay()

    runs_until_it_cuts(config(tmp_path, mqtt={"port": free_port()}, health={"port": 0}, page={"port": free_port()}), FailsAtReplay)


def test_what_waiting_does_not_mend_ends_the_process_at_once(alone: Config) -> None:
    class Refused(WatchedStore):
        def __init__(self, *args: Any, **named: Any) -> None:
            raise StoreError("belongs to another gateway")

    with pytest.raises(StoreError, match="another gateway"):
        run.run(alone, threading.Event(), Refused)


@pytest.mark.parametrize("damage", ["a flipped bit", "a missing file", "half a manifest", "golden cases that are not met"])
def test_a_damaged_model_costs_inferences_and_no_readings(
    alone: Config, tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    """Case 24: exit 2, and no readings taken."""
    bundle = tmp_path / "soil"
    shutil.copytree(SOIL, bundle)
    model, manifest = bundle / "model.tflite", bundle / "manifest.json"
    if damage == "a flipped bit":
        model.write_bytes(bytes([model.read_bytes()[0] ^ 1]) + model.read_bytes()[1:])
    elif damage == "a missing file":
        model.unlink()
    elif damage == "half a manifest":
        manifest.write_bytes(manifest.read_bytes()[:500])
    else:
        content = json.loads(manifest.read_text())
        content["golden"]["cases"][0]["outputs"] = [output + 50 for output in content["golden"]["cases"][0]["outputs"]]
        manifest.write_text(json.dumps(content))
    runs_until_it_cuts(replace(alone, models=(ModelSettings(name="soil", bundle=bundle),)), WatchedStore)
    [sentence] = errors(caplog)
    assert sentence.startswith("the model soil does not run; readings are taken all the same")
