"""Google's own client against a Pub/Sub on this machine that comes, goes and refuses."""

import json
import logging
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import grpc
import pytest
from drongo.services.pubsub.emulator import PubSubEmulator
from google.cloud import pubsub_v1
from google.pubsub_v1 import types

from edge.store.store import Store
from edge.uplink.google_publisher import GooglePublisher
from edge.uplink.uplink import UplinkError
from edge.uplink.worker import UplinkWorker
from program.backoff import Backoff
from schemas.envelope import Envelope
from schemas.message import unfolded
from tests.edge.encoded import NOW, encoded
from tests.edge.uplink.federation import FEDERATION
from tests.waiting import eventually

TOPIC = "projects/test-project/topics/batches"
QUICK = Backoff(initial_interval=0.05, max_interval=0.2)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "store.db", "gw-1", 64 << 20)
    yield store
    store.close()


class Service:
    """Pub/Sub's Publish on a port of its own, which can go away and come back."""

    def __init__(self) -> None:
        self.received: list[types.PubsubMessage] = []
        self.error: grpc.StatusCode | None = None
        self.port = 0

    def start(self) -> None:
        handler = grpc.unary_unary_rpc_method_handler(
            self._publish, request_deserializer=types.PublishRequest.deserialize, response_serializer=types.PublishResponse.serialize
        )
        self._server = grpc.server(ThreadPoolExecutor(4), options=[("grpc.so_reuseport", 0)])
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("google.pubsub.v1.Publisher", {"Publish": handler}),))
        self.port = self._server.add_insecure_port(f"127.0.0.1:{self.port}")
        self._server.start()

    def stop(self) -> None:
        self._server.stop(0).wait()

    def _publish(self, request: types.PublishRequest, context: grpc.ServicerContext) -> types.PublishResponse:
        if self.error:
            context.abort(self.error, "fault")
        self.received.extend(request.messages)
        return types.PublishResponse(message_ids=[str(len(self.received)) for _ in request.messages])


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    service = Service()
    service.start()
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", f"127.0.0.1:{service.port}")
    yield service
    service.stop()


@pytest.fixture
def uplink(service: Service, store: Store) -> Iterator[UplinkWorker]:
    publisher = GooglePublisher(TOPIC)
    uplink = UplinkWorker(store, publisher, backoff=QUICK)
    uplink.start()
    yield uplink
    uplink.stop(1)
    publisher.close()


def test_google_s_client_comes_back_soon_after_the_service_does(service: Service, uplink: UplinkWorker, store: Store) -> None:
    store.cut([encoded(body=b"before")], NOW)
    uplink.wake()
    assert eventually(lambda: store.ledger().confirmed == 1, 10)
    service.stop()
    store.cut([encoded(body=b"during")], NOW)
    uplink.wake()
    assert eventually(lambda: uplink.state == "offline", 10)
    service.start()
    assert eventually(lambda: store.ledger().confirmed == 2, 10)
    assert {unfolded(message.attributes, message.data)[1] for message in service.received} == {b"before", b"during"}


def test_google_s_client_reports_refusals_one_by_one(service: Service, uplink: UplinkWorker, store: Store) -> None:
    service.error = grpc.StatusCode.INVALID_ARGUMENT
    store.cut([encoded(body=b"refused")], NOW)
    uplink.wake()
    assert not eventually(lambda: bool(store.ledger().confirmed), 0.5)
    service.error = None
    assert eventually(lambda: store.ledger().confirmed == 1, 10)


@pytest.mark.parametrize("code", [grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.INTERNAL])
def test_google_s_client_is_tried_again_after_every_error(
    service: Service, uplink: UplinkWorker, store: Store, code: grpc.StatusCode
) -> None:
    service.error = code
    store.cut([encoded()], NOW)
    uplink.wake()
    assert not eventually(lambda: bool(store.ledger().confirmed), 0.5)
    service.error = None
    assert eventually(lambda: store.ledger().confirmed == 1, 10)


def test_a_message_that_the_client_itself_refuses_becomes_an_answer(service: Service, store: Store) -> None:
    publisher = GooglePublisher(TOPIC)
    store.cut([encoded()], NOW)
    (batch,) = store.pending(1)
    error = publisher.publish([replace(batch, body=bytes(11_000_000))]).exception()
    assert error is not None
    assert publisher.refuses_only_this(error)
    publisher.close()


@pytest.mark.parametrize("shard", [None, "2"])
def test_a_message_carries_the_shard_as_an_attribute_and_is_the_same_batch(service: Service, store: Store, shard: str | None) -> None:
    publisher = GooglePublisher(TOPIC, shard=shard)
    store.cut([encoded()], NOW)
    (batch,) = store.pending(1)
    assert publisher.publish([batch]).exception() is None
    publisher.close()
    (received,) = service.received
    routing = {"gateway_id": "gw-1", "kind": batch.envelope.kind}
    assert dict(received.attributes) == routing | ({"shard": shard} if shard else {})
    attributes, body = unfolded(dict(received.attributes), received.data)
    assert (Envelope.parse(attributes), body) == (batch.envelope, batch.body)


def test_closing_ends_requests_that_nobody_answers(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("PUBSUB_EMULATOR_HOST", f"127.0.0.1:{silent.getsockname()[1]}")
        publisher = GooglePublisher(TOPIC)
        store.cut([encoded() for _ in range(12)], NOW)
        answers = [publisher.publish([batch]) for batch in store.pending(12)]
        closing = threading.Thread(target=publisher.close, daemon=True)
        closing.start()
        closing.join(5)
        assert not closing.is_alive()
        assert eventually(lambda: all(answer.done() for answer in answers), 5)


def test_batches_reach_a_subscriber_verbatim_with_their_envelopes(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    emulator = PubSubEmulator()
    emulator.start()
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", f"127.0.0.1:{emulator._port}")
    subscription = "projects/test-project/subscriptions/test"
    publisher = GooglePublisher(TOPIC)
    with pubsub_v1.PublisherClient() as topics, pubsub_v1.SubscriberClient() as subscriber:
        topics.create_topic(name=TOPIC)
        subscriber.create_subscription(name=subscription, topic=TOPIC)
        cut = store.cut([encoded(body=bytes(range(256)) * number) for number in range(1, 41)], NOW)
        uplink = UplinkWorker(store, publisher, backoff=QUICK)
        uplink.start()
        uplink.stop(20)
        publisher.close()
        pulled = subscriber.pull(subscription=subscription, max_messages=100).received_messages
    messages = (unfolded(received.message.attributes, received.message.data) for received in pulled)
    arrived = {Envelope.parse(attributes): body for attributes, body in messages}
    assert arrived == {envelope: bytes(range(256)) * envelope.seq for envelope in cut}
    assert store.ledger().confirmed == 40
    emulator.stop()
    emulator._server.stop(0).wait()


def test_a_gateway_without_network_starts_with_a_credentials_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PUBSUB_EMULATOR_HOST", raising=False)
    file = tmp_path / "federation.json"
    file.write_text(json.dumps(FEDERATION | {"credential_source": {"file": str(tmp_path / "token")}}))
    begun = time.monotonic()
    GooglePublisher(TOPIC, file).close()
    assert time.monotonic() - begun < 10


def test_wrong_credentials_are_named_at_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PUBSUB_EMULATOR_HOST", raising=False)
    file = tmp_path / "credentials.json"
    file.write_text('{"type": "service_account"}')
    with pytest.raises(UplinkError, match=r"credentials\.json.*client_email"):
        GooglePublisher(TOPIC, file)


def test_no_credentials_at_all_are_an_error_and_no_question_to_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PUBSUB_EMULATOR_HOST", "GOOGLE_APPLICATION_CREDENTIALS"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(UplinkError, match=r"uplink\.credentials_file is not set"):
        GooglePublisher(TOPIC)


@pytest.fixture(autouse=True)
def _seen(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "tinybeam.edge")
