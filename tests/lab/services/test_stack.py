"""The servers, each as it is here and as pip alone gives it."""

import queue
import threading
from pathlib import Path
from typing import Any

import grpc
import paho.mqtt.client as mqtt
import pytest
from google.api_core.exceptions import NotFound
from google.cloud import bigquery
from google.cloud.pubsub_v1 import SubscriberClient as SubscriberClientOfGoogle
from google.pubsub_v1.services.publisher import PublisherClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber import SubscriberClient
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

from lab.services.child import listens
from lab.services.stack import Broker, PubSub, StartFailed, Warehouse
from lab.witness import delivered
from lab.witness.tap import Publication, Tap
from lab.witness.tcp_proxy import TcpProxy
from tests.waiting import eventually
from tests.warehouses import client_of

TOPIC, SUBSCRIPTION = "projects/demo-project/topics/telemetry", "projects/demo-project/subscriptions/pipeline"
PARTS = ("auto", "pip")


class Listener:
    """A named client with a session that outlives its connections; acknowledges by hand, if at all."""

    def __init__(self, port: int, *, acknowledges: bool = True) -> None:
        self.payloads: list[bytes] = []
        self.subscribed = threading.Event()
        self._acknowledges = acknowledges
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="gateway", clean_session=False, manual_ack=True)
        self._client.on_connect = lambda client, *_: client.subscribe("#", qos=1)
        self._client.on_subscribe = lambda *_: self.subscribed.set()
        self._client.on_message = self._on_message
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert self.subscribed.wait(10)

    def _on_message(self, client: mqtt.Client, _: object, message: mqtt.MQTTMessage) -> None:
        self.payloads.append(bytes(message.payload))
        if self._acknowledges:
            client.ack(message.mid, message.qos)

    def receives(self, *payloads: bytes) -> bool:
        return eventually(lambda: set(self.payloads) == set(payloads), 10)

    def leave(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def _acknowledged(tap: Tap, *payloads: bytes) -> set[Publication]:
    """What the tap saw once it saw so many, or after ten seconds: a client is ahead of its observer."""
    eventually(lambda: len(set(tap.acknowledged())) >= len(payloads), 10)
    return set(tap.acknowledged())


def _streamed(count: int) -> list[bytes]:
    """The first messages that a stream brings; of them only b"kept" is acknowledged."""
    payloads: queue.Queue[bytes] = queue.Queue()

    def take(message: Any) -> None:
        if message.data == b"kept":
            message.ack()
        payloads.put(message.data)

    with SubscriberClientOfGoogle() as client:
        pulling = client.subscribe(SUBSCRIPTION, take)
        try:
            return [payloads.get(timeout=30) for _ in range(count)]
        finally:
            pulling.cancel()
            pulling.result(10)


def _publish(port: int, *payloads: bytes) -> None:
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="sensor", clean_session=False)
    client.connect("127.0.0.1", port)
    client.loop_start()
    for payload in payloads:
        client.publish("sensors/a/readings", payload, qos=1).wait_for_publish(10)
    client.disconnect()
    client.loop_stop()


@pytest.mark.parametrize("parts", PARTS)
def test_a_broker_keeps_what_comes_while_the_gateway_is_away(tmp_path: Path, parts: str) -> None:
    with Broker(tmp_path, parts) as broker:
        Listener(broker.port).leave()
        _publish(broker.port, b"one", b"two")
        back = Listener(broker.port)
        assert back.receives(b"one", b"two")
        back.leave()


@pytest.mark.skipif(Broker(Path()).is_fallback, reason="amqtt forgets what it delivered to a client that left without acknowledging")
def test_a_broker_delivers_again_what_was_not_acknowledged_and_the_tap_sees_it(tmp_path: Path) -> None:
    tap = Tap()
    with Broker(tmp_path) as broker, TcpProxy(("127.0.0.1", broker.port), tap.connection) as proxy:
        forgetful = Listener(proxy.port, acknowledges=False)
        _publish(broker.port, b"one")
        assert forgetful.receives(b"one")
        forgetful.leave()
        assert tap.acknowledged() == []
        back = Listener(proxy.port)
        assert back.receives(b"one")
        assert _acknowledged(tap, b"one") == {Publication("sensors/a/readings", b"one")}
        back.leave()


@pytest.mark.parametrize("parts", PARTS)
def test_pubsub_delivers_what_was_published(tmp_path: Path, parts: str) -> None:
    with PubSub(tmp_path, parts) as pubsub:
        pubsub.create(TOPIC, SUBSCRIPTION)
        pubsub.create(TOPIC, SUBSCRIPTION)
        with grpc.insecure_channel(pubsub.address) as channel:
            publisher = PublisherClient(transport=PublisherGrpcTransport(channel=channel))
            publisher.publish(topic=TOPIC, messages=[{"data": b"batch", "attributes": {"seq": "1"}}])
            subscriber = SubscriberClient(transport=SubscriberGrpcTransport(channel=channel))
            message = subscriber.pull(subscription=SUBSCRIPTION, max_messages=1).received_messages[0].message
    assert (message.data, dict(message.attributes)) == (b"batch", {"seq": "1"})


def test_the_pubsub_of_pip_streams_to_googles_client_and_delivers_again_what_a_stream_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with PubSub(tmp_path, "pip") as pubsub:
        pubsub.create(TOPIC, SUBSCRIPTION)
        monkeypatch.setenv("PUBSUB_EMULATOR_HOST", pubsub.address)
        with grpc.insecure_channel(pubsub.address) as channel:
            publisher = PublisherClient(transport=PublisherGrpcTransport(channel=channel))
            publisher.publish(topic=TOPIC, messages=[{"data": b"kept"}, {"data": b"left"}])
        assert sorted(_streamed(2)) == [b"kept", b"left"]
        assert _streamed(1) == [b"left"]


def test_the_pubsub_of_pip_says_that_a_subscription_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with PubSub(tmp_path, "pip") as pubsub:
        monkeypatch.setenv("PUBSUB_EMULATOR_HOST", pubsub.address)
        with SubscriberClientOfGoogle() as client, pytest.raises(NotFound):
            client.subscribe(SUBSCRIPTION, print).result(10)


@pytest.mark.parametrize("parts", PARTS)
def test_the_tap_sees_what_a_gateway_acknowledged(tmp_path: Path, parts: str) -> None:
    tap = Tap()
    with Broker(tmp_path, parts) as broker, TcpProxy(("127.0.0.1", broker.port), tap.connection) as proxy:
        listener = Listener(proxy.port)
        _publish(broker.port, b"one", b"two")
        assert listener.receives(b"one", b"two")
        assert _acknowledged(tap, b"one", b"two") == {Publication("sensors/a/readings", payload) for payload in (b"one", b"two")}
        listener.leave()


def test_the_parts_of_pip_say_so(tmp_path: Path) -> None:
    assert Broker(tmp_path, "pip").is_fallback
    assert Broker(tmp_path, "pip").version.startswith("amqtt ")
    assert PubSub(tmp_path, "pip").is_fallback
    assert PubSub(tmp_path, "pip").version.startswith("drongo ")


def test_the_warehouse_answers_bigquerys_client_and_is_gone_afterwards(tmp_path: Path) -> None:
    with Warehouse(tmp_path) as warehouse:
        client: bigquery.Client = delivered.connect(warehouse)
        assert [row.one for row in client.query_and_wait("select 1 as one")] == [1]
        ports = [int(address.rsplit(":", 1)[1]) for address in (warehouse.rest_url, warehouse.grpc_address)]
        client.close()
    assert not any(listens(port) for port in ports)


def test_a_warehouse_can_be_moved(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    with Warehouse(here) as warehouse, client_of(warehouse, warehouse.project) as client:
        client.create_dataset("moved")
        client.query_and_wait("create table moved.kept as select 7 as number")
    here.rename(there)
    with Warehouse(there) as warehouse, client_of(warehouse, warehouse.project) as client:
        assert [row.number for row in client.query_and_wait("select number from moved.kept")] == [7]


def test_what_a_project_holds_is_known_of_it_alone_and_as_it_is_now(tmp_path: Path) -> None:
    with Warehouse(tmp_path) as warehouse, client_of(warehouse, "one") as one, client_of(warehouse, "two") as two:
        for client in (one, two):
            client.create_dataset("d")
        one.query_and_wait("create table d.t (a int64 not null, s struct<a string>, l array<int64>); insert into d.t (a) values (1), (2)")
        one.query_and_wait("create view d.v as select a as b from d.t")
        table = one.get_table("d.t")
        assert [(field.name, field.mode) for field in table.schema] == [("a", "REQUIRED"), ("s", "NULLABLE"), ("l", "REPEATED")]
        assert table.num_rows == 2
        assert [(item.table_id, item.table_type) for item in one.list_tables("d")] == [("t", "TABLE"), ("v", "VIEW")]
        assert list(two.list_tables("d")) == []
        one.query_and_wait("drop view d.v; alter table d.t drop column l; alter table d.t rename to u")
        assert [item.table_id for item in one.list_tables("d")] == ["u"]
        assert [field.name for field in one.get_table("d.u").schema] == ["a", "s"]


def test_without_its_interpreter_the_warehouse_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYBEAM_WAREHOUSE_PYTHON", str(tmp_path / "python"))
    with pytest.raises(StartFailed, match="run `make` once"), Warehouse(tmp_path):
        raise AssertionError("it must not start")
