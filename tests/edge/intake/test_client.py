"""The broker's side of the gateway: acknowledgements only when told, and again after a cut. Real mosquitto."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt import publish

from edge.frame import Header, encode
from edge.intake.client import Incoming, Intake
from edge.settings.mqtt import MqttSettings
from lab.services.broker import Broker
from lab.witness.tcp_proxy import TcpProxy
from tests.waiting import eventually

MOSQUITTO = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin")
READINGS = ["sensors/+/readings"]
pytestmark = pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed (apt install mosquitto)")


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with Broker(tmp_path / "broker") as broker:
        yield broker


def take(intake: Intake, count: int, seconds: float = 60.0) -> list[Incoming]:
    received: list[Incoming] = []
    deadline = time.monotonic() + seconds
    while len(received) < count and time.monotonic() < deadline:
        received += intake.take(0.1)
    return received


def send(port: int, *payloads: bytes) -> None:
    messages = [{"topic": "sensors/d1/readings", "payload": payload, "qos": 1} for payload in payloads]
    publish.multiple(messages, port=port, hostname="127.0.0.1")  # type: ignore[arg-type]


def started(port: int) -> Intake:
    intake = Intake(MqttSettings(port=port), "gw-1", None, READINGS)
    intake.start()
    assert eventually(lambda: intake.state == "online")
    return intake


def status(port: int) -> str:
    """The retained word about the gateway."""
    states: list[str] = []
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
    client.on_message = lambda _client, _data, message: states.append(message.payload.decode())
    client.connect("127.0.0.1", port)
    client.subscribe("gateways/gw-1/status")
    client.loop_start()
    assert eventually(lambda: bool(states))
    client.disconnect()
    client.loop_stop()
    return states[0]


def test_what_is_not_acknowledged_comes_again_and_what_is_does_not(broker: Broker) -> None:
    first = started(broker.port)
    send(broker.port, b"1", b"2", b"3")
    received = take(first, 3)
    first.acknowledge(received[:1])
    first.stop()
    second = started(broker.port)
    again = take(second, 2)
    second.acknowledge(again)
    second.stop()
    assert [one.message.payload for one in again] == [b"2", b"3"]
    assert all(one.message.dup for one in again)


def test_a_frame_comes_through_the_broker_as_it_was_sent(broker: Broker) -> None:
    intake = started(broker.port)
    frames = [encode(Header(channel="shake", rate_hz=12000.0, seq=seq), [seq / 7] * 16000) for seq in range(3)]
    send(broker.port, *frames)
    received = take(intake, 3)
    assert [one.message.payload for one in received] == frames
    intake.acknowledge(received)
    intake.stop()


def test_an_acknowledgement_of_a_connection_that_is_gone_is_not_sent_on_the_next(broker: Broker) -> None:
    with TcpProxy(("127.0.0.1", broker.port)) as proxy:
        intake = started(proxy.port)
        send(broker.port, b"1")
        stale = take(intake, 1)
        proxy.cut()
        assert eventually(lambda: intake.state == "offline")
        proxy.restore()
        assert eventually(lambda: intake.state == "online")
        sent = proxy.bytes_sent
        intake.acknowledge(stale)
        (again,) = take(intake, 1)
        assert (again.message.payload, again.message.dup) == (b"1", True)
        assert proxy.bytes_sent - sent <= 64
        intake.acknowledge([again])
        intake.stop()


def test_a_message_at_most_once_needs_no_acknowledgement_and_costs_no_connection(broker: Broker) -> None:
    started(broker.port).stop()  # so that the broker knows the subscription
    with TcpProxy(("127.0.0.1", broker.port)) as proxy:
        intake = started(proxy.port)
        publish.single("sensors/d1/readings", b"0", qos=0, port=broker.port, hostname="127.0.0.1")
        received = take(intake, 1)
        intake.acknowledge(received)
        send(broker.port, b"1")
        received += take(intake, 1)
        assert [(one.message.payload, one.message.dup) for one in received] == [(b"0", False), (b"1", False)]
        assert (proxy.connections, intake.state) == (1, "online")
        intake.stop()


def test_a_message_of_a_session_that_was_subscribed_otherwise_is_refused_loudly(broker: Broker, caplog: pytest.LogCaptureFixture) -> None:
    other = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="gw-1", clean_session=False)
    subscribed = threading.Event()
    other.on_subscribe = lambda *_: subscribed.set()
    other.connect("127.0.0.1", broker.port)
    other.loop_start()
    other.subscribe("sensors/+/readings", qos=2)
    assert subscribed.wait(10)
    other.disconnect()
    other.loop_stop()
    publish.single("sensors/d1/readings", b"2", qos=2, port=broker.port, hostname="127.0.0.1")
    intake = started(broker.port)
    assert eventually(lambda: "at QoS 2 is neither stored nor acknowledged" in caplog.text)
    assert intake.take(0.0) == []
    intake.stop()


def test_the_gateway_says_that_it_is_online_and_its_stop_that_it_is_not(broker: Broker) -> None:
    intake = started(broker.port)
    assert eventually(lambda: status(broker.port) == "online")
    intake.stop()
    assert status(broker.port) == "offline"


def test_a_broker_that_comes_late_is_waited_for_loudly(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    broker = Broker(tmp_path / "late")
    intake = Intake(MqttSettings(port=broker.port), "gw-1", None, READINGS)
    intake.start()
    assert eventually(lambda: "cannot be reached" in caplog.text)
    with broker:
        assert eventually(lambda: intake.state == "online")
        intake.stop()


def test_a_micro_batch_ends_with_its_number_or_its_time(broker: Broker) -> None:
    intake = Intake(MqttSettings(port=broker.port, commit_messages=4), "gw-1", None, READINGS)
    intake.start()
    assert eventually(lambda: intake.state == "online")
    send(broker.port, *(b"x" for _ in range(10)))
    assert max(len(intake.take(1.0)) for _ in range(3)) <= 4
    intake.stop()
