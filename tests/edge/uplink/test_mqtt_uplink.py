"""A broker as an uplink, and the bridge behind it: what was cut arrives under its name, whatever ends on the way. Real mosquitto."""

from __future__ import annotations

import gc
import getpass
import shutil
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import closing
from io import BytesIO
from itertools import cycle
from pathlib import Path
from random import Random
from typing import Any

import pytest

from edge.bridge import Bridge, BridgeSettings
from edge.intake import tls
from edge.intake.client import Incoming, Intake
from edge.intake.reader import MqttMessage
from edge.settings.mqtt import MqttSettings
from edge.store.store import OutboxBatch, Store
from edge.uplink import mqtt_publisher
from edge.uplink.mqtt import MqttUplinkSettings
from edge.uplink.mqtt_session import MqttSession, NotTaken
from edge.uplink.pubsub import PubsubUplinkSettings
from edge.uplink.uplink import LinkDown, PublishFuture
from edge.uplink.worker import UplinkWorker
from lab.services.child import Child, free_port, listens
from lab.witness.tcp_proxy import TcpProxy
from program.backoff import Backoff
from program.settings import ConfigError
from schemas.envelope import entries
from schemas.message import folded
from schemas.signature import SIGNATURE_BYTES
from tests.edge.encoded import NOW, encoded
from tests.waiting import eventually

trustme = pytest.importorskip("trustme", reason="trustme is not installed (pip install trustme)")
MOSQUITTO = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin")
# paho leaves a connection open whose handshake a stopped broker breaks off; it is collected here.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
with_mosquitto = pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed (apt install mosquitto)")
QUICK = Backoff(initial_interval=0.05, max_interval=0.2)
ONWARD = PubsubUplinkSettings(topic="projects/demo-project/topics/telemetry", retry=QUICK)
_CONF = """
listener {port} 127.0.0.1
user {user}
cafile {folder}/ca.pem
certfile {folder}/broker.pem
keyfile {folder}/broker.pem
require_certificate true
use_identity_as_username true
acl_file {folder}/acl
persistence true
persistence_location {folder}/
max_queued_messages 0
max_inflight_messages 0
"""


class Broker:
    """mosquitto that lets gw-1 write its own batches and bridge-1 read all, by certificate; it can be stopped and started again."""

    def __init__(self, folder: Path) -> None:
        self.port, self.folder, authority = free_port(), folder, trustme.CA()
        authority.cert_pem.write_to_path(str(folder / "ca.pem"))
        for name in ("broker", "gw-1", "bridge-1", "gw-2"):
            own = authority.issue_cert("127.0.0.1", common_name=name)
            own.private_key_and_cert_chain_pem.write_to_path(str(folder / f"{name}.pem"))
        (folder / "acl").write_text(
            "user gw-1\ntopic write tinybeam/gw-1/#\nuser bridge-1\ntopic read tinybeam/#\ntopic write gateways/bridge-1/status\n"
        )
        (folder / "acl").chmod(0o600)
        (folder / "mosquitto.conf").write_text(_CONF.format(port=self.port, user=getpass.getuser(), folder=folder))

    def start(self) -> None:
        self.child = Child("broker", [str(MOSQUITTO), "-c", str(self.folder / "mosquitto.conf")], self.folder / "broker.log")
        self.child.wait_until(lambda: listens(self.port), "listening")

    def stop(self) -> None:
        """By SIGTERM: what it has taken is on its disk. Its own durability is not what is tried here."""
        self.child.stop()

    def files(self, name: str) -> dict[str, Path]:
        own = self.folder / f"{name}.pem"
        return {"tls_ca": self.folder / "ca.pem", "tls_certificate": own, "tls_key": own}

    def uplink(self, port: int | None = None, name: str = "gw-1", **changed: Any) -> MqttUplinkSettings:
        return MqttUplinkSettings(host="127.0.0.1", port=port or self.port, client_id=name, retry=QUICK, **self.files(name), **changed)

    def bridge(self) -> BridgeSettings:
        mqtt = MqttSettings(host="127.0.0.1", port=self.port, topic="tinybeam/{device}/{channel}", **self.files("bridge-1"))
        return BridgeSettings(name="bridge-1", set_aside_dir=self.folder / "aside", mqtt=mqtt, uplink=ONWARD)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    broker = Broker(tmp_path)
    broker.start()
    yield broker
    broker.stop()
    gc.collect()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store(tmp_path / "store.db", "gw-1", 64 << 20)) as store:
        yield store


class Service:
    """What the bridge publishes to: it fails now and then, sometimes after it took what it got, and refuses by name."""

    def __init__(self, faults: Sequence[str] = ("none",), refused: str = "") -> None:
        self.received: Counter[str] = Counter()
        self.bodies: dict[str, bytes] = {}
        self._faults, self._refused = cycle(faults), refused
        self.is_down, self.failed = False, 0

    def publish(self, batches: Sequence[OutboxBatch]) -> Future[None]:
        answer: Future[None] = Future()
        if self._refused in {batch.envelope.batch_id for batch in batches}:
            answer.set_exception(ValueError("refused"))
            return answer
        fault = "before" if self.is_down else next(self._faults)
        self.failed += self.is_down
        if fault != "before":
            for batch in batches:
                assert self.bodies.setdefault(batch.envelope.batch_id, batch.body) == batch.body
                self.received[batch.envelope.batch_id] += 1
        answer.set_result(None) if fault == "none" else answer.set_exception(ConnectionError(fault))
        return answer

    def refuses_only_this(self, error: BaseException) -> bool:
        return isinstance(error, ValueError)

    def close(self) -> None:
        """Nothing is open."""


class RunningBridge:
    """A bridge in a thread, that ends as if it were killed: without an acknowledgement for what it was at."""

    def __init__(self, settings: BridgeSettings, service: Service) -> None:
        self._stopping = threading.Event()
        self.source = Intake(settings.mqtt, settings.name, tls.context(settings.mqtt), ["tinybeam/+/+"])
        self._thread = threading.Thread(target=Bridge(settings, self.source, service, self._stopping).run, daemon=True)
        self.source.start()
        self._thread.start()

    def kill(self) -> None:
        self._stopping.set()
        self.source.acknowledge = lambda _incoming: None  # type: ignore[method-assign]
        self._thread.join(10)
        self.source.stop()


def cut(store: Store, count: int) -> list[str]:
    return [envelope.batch_id for envelope in store.cut([encoded("summaries", b"body %d" % number) for number in range(count)], NOW)]


@with_mosquitto
def test_whatever_ends_on_the_way_nothing_is_lost_and_what_comes_twice_has_its_name(broker: Broker, store: Store) -> None:
    rng, names = Random(1), list[str]()
    service, bridge = Service(["after", "before", "none"]), None
    with TcpProxy(("127.0.0.1", broker.port)) as proxy:
        settings = broker.uplink(proxy.port)
        publisher = settings.open()
        uplink = UplinkWorker(store, publisher, backoff=QUICK)
        uplink.start()
        for turn in range(4):
            if bridge:
                # It dies with messages in its hands that it could not pass on.
                service.is_down, before = True, service.failed
                names += cut(store, 5)
                uplink.wake()
                assert eventually(lambda at=before: service.failed > at)  # type: ignore[misc]
                bridge.kill()
                service.is_down = False
            if turn % 3 == 2:
                broker.stop()
                broker.start()
            bridge = RunningBridge(broker.bridge(), service)
            for _ in range(3):
                names += cut(store, 20)
                uplink.wake()
                if rng.random() < 0.5:
                    proxy.cut()
                    proxy.restore()
                half = len(names) // 2
                assert eventually(lambda at=half: store.ledger().confirmed > at)  # type: ignore[misc]
        assert eventually(lambda: store.ledger().pending == 0)
        assert eventually(lambda: service.received.keys() == set(names)), set(names) - service.received.keys()
        assert eventually(lambda: service.received.total() > len(names)), "nothing was sent twice: the faults do not strike"
        uplink.stop(1)
        publisher.close()
        if bridge:
            bridge.kill()


def cause(answer: PublishFuture) -> BaseException | None:
    """Returns what the broker said, of a batch that it did not take."""
    error = answer.exception()
    assert isinstance(error, LinkDown)
    return error.__cause__


@with_mosquitto
def test_what_nobody_takes_or_may_be_sent_stays_in_the_store(broker: Broker, store: Store) -> None:
    """By MQTT 3.1.1 a broker would confirm both, and the batches were gone."""
    (batch,) = store.pending(1) if cut(store, 1) else []
    publisher = broker.uplink().open()
    assert isinstance(cause(publisher.publish([batch])), NotTaken), "nobody has subscribed"
    bridge = RunningBridge(broker.bridge(), service := Service())
    assert eventually(lambda: publisher.publish([batch]).exception() is None)
    assert eventually(lambda: list(service.received) == [batch.envelope.batch_id])
    stranger = broker.uplink(name="gw-2").open()
    refusal = cause(stranger.publish([batch]))
    assert isinstance(refusal, NotTaken)
    assert "Not authorized" in str(refusal)
    bridge.kill()
    for each in (publisher, stranger):
        each.close()


@with_mosquitto
def test_who_has_no_right_certificate_does_not_come_in_and_the_doctor_says_so(broker: Broker, tmp_path: Path) -> None:
    assert [finding.status for finding in broker.uplink().findings()][-1] == "ok"
    another = trustme.CA()
    another.cert_pem.write_to_path(str(tmp_path / "another.pem"))
    [*_, wrong_broker] = (
        broker.uplink()
        .__class__(host="127.0.0.1", port=broker.port, client_id="gw-1", **broker.files("gw-1") | {"tls_ca": tmp_path / "another.pem"})
        .findings()
    )
    assert wrong_broker.status == "fail"


@with_mosquitto
def test_a_session_keeps_nothing_of_what_was_answered(broker: Broker) -> None:
    bridge = RunningBridge(broker.bridge(), Service())
    session = MqttSession(broker.uplink(), "gw-1")
    assert eventually(lambda: session.publish("tinybeam/gw-1/summaries", b"no batch").exception(10) is None)
    for _ in range(500):
        last = session.publish("tinybeam/gw-1/summaries", b"no batch")
    assert last.exception(10) is None
    assert eventually(lambda: not session._futures)
    session.close()
    with pytest.raises(ConnectionError):
        raise session.publish("tinybeam/gw-1/summaries", b"late").exception(10) or AssertionError
    bridge.kill()


def batch_of(store: Store, body: bytes) -> OutboxBatch:
    store.cut([encoded("events", body)], NOW)
    return store.pending(1)[0]


def test_a_batch_that_is_larger_than_the_broker_takes_is_refused_alone(store: Store) -> None:
    publisher = MqttUplinkSettings(host="127.0.0.1", client_id="gw-1").open()
    error = publisher.publish([batch_of(store, bytes(128_000))]).exception()
    assert error
    assert publisher.refuses_only_this(error)
    publisher.close()


def test_batches_are_cut_so_that_a_message_is_within_the_limit(store: Store) -> None:
    settings = MqttUplinkSettings(host="127.0.0.1", client_id="gw-1", max_message_bytes=128_000)
    batch = batch_of(store, bytes(settings.wire.max_body_bytes))
    topic, data = mqtt_publisher.MqttPublisher(settings)._message(batch)
    assert 127_000 < len(topic) + len(data) <= 128_000
    assert settings.wire.request([batch]) == len(topic) + len(data) + 10


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"topic": "tinybeam/all/{kind}"}, "topic must have {gateway} in it"),
        ({"topic": "{gateway}/batches"}, "and end in /{kind}"),
        ({"topic": "tinybeam/+/{gateway}/{kind}"}, "no + and no #"),
        ({"host": "broker.example"}, "host broker.example is another machine: set tls_ca"),
    ],
)
def test_settings_that_could_not_work_are_refused(changed: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigError) as refused:
        MqttUplinkSettings(**{"host": "127.0.0.1", "client_id": "gw-1"} | changed)
    assert sentence in str(refused.value)


class Waiting:
    """A broker that hands out what waits, and notes what is acknowledged."""

    def __init__(self, *messages: MqttMessage) -> None:
        self._messages = [Incoming(message, packet, None) for packet, message in enumerate(messages, 1)]  # type: ignore[arg-type]
        self.acknowledged: list[int] = []

    def take(self, _seconds: float) -> list[Incoming]:
        return self._messages

    def acknowledge(self, incoming: Sequence[Incoming]) -> None:
        self.acknowledged += [each.packet for each in incoming]


def test_a_bridge_sets_aside_what_is_no_batch_or_is_refused_and_carries_the_others(store: Store, tmp_path: Path) -> None:
    good, refused = (batch_of(store, body) for body in (b"good", b"refused") if not store.confirm([1, 2] if body == b"good" else [1]))
    messages = [MqttMessage(f"tinybeam/gw-1/{each.envelope.kind}", folded(each.envelope, each.body)[1]) for each in (good, refused)]
    source, service = Waiting(*messages, MqttMessage("tinybeam/gw-1/summaries", b"noise")), Service(refused=refused.envelope.batch_id)
    mqtt = MqttSettings(topic="tinybeam/{device}/{channel}")
    settings = BridgeSettings(set_aside_dir=tmp_path / "aside", mqtt=mqtt, uplink=ONWARD)
    Bridge(settings, source, service, threading.Event()).turn()
    assert (list(service.received), source.acknowledged) == ([good.envelope.batch_id], [1, 2, 3])
    kept = [content for file in (tmp_path / "aside").iterdir() for content in entries(BytesIO(file.read_bytes()))]
    assert sorted(payload for _, payload in kept) == sorted([b"noise", messages[1].payload])


@pytest.mark.parametrize("signature", [b"", bytes(range(SIGNATURE_BYTES))])
def test_a_bridge_carries_the_signature_of_a_batch_as_it_came(store: Store, tmp_path: Path, signature: bytes) -> None:
    batch, carried = batch_of(store, b"body"), list[OutboxBatch]()
    source = Waiting(MqttMessage(f"tinybeam/gw-1/{batch.envelope.kind}", folded(batch.envelope, batch.body, signature)[1]))

    class Watched(Service):
        def publish(self, batches: Sequence[OutboxBatch]) -> Future[None]:
            carried.extend(batches)
            return super().publish(batches)

    settings = BridgeSettings(set_aside_dir=tmp_path, mqtt=MqttSettings(topic="tinybeam/{device}/{channel}"), uplink=ONWARD)
    Bridge(settings, source, Watched(), threading.Event()).turn()
    assert [each.signature for each in carried] == [signature]


def test_a_bridge_that_is_stopped_acknowledges_nothing_that_did_not_arrive(store: Store, tmp_path: Path) -> None:
    batch, stopping = batch_of(store, b"body"), threading.Event()
    source = Waiting(MqttMessage("tinybeam/gw-1/events", folded(batch.envelope, batch.body)[1]))

    class Down(Service):
        def publish(self, batches: Sequence[OutboxBatch]) -> Future[None]:
            stopping.set()
            answer: Future[None] = Future()
            answer.set_exception(ConnectionError("down"))
            return answer

    settings = BridgeSettings(set_aside_dir=tmp_path, mqtt=MqttSettings(topic="tinybeam/{device}/{channel}"), uplink=ONWARD)
    Bridge(settings, source, Down(), stopping).turn()
    assert source.acknowledged == []
