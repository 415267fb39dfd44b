import json
import threading
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from edge.reading import Reading, Rejected
from lab.services.stack import Broker
from lab.witness.tap import Publication
from lab.world import sensors
from lab.world.field import reading, topic
from lab.world.sensors import AttemptLog, Sensor, Sensors
from tests.edge import payloads
from tests.waiting import eventually


def _sensor(device: str = "soil-01") -> Sensor:
    def message(time, seq, seconds):
        return reading(time, seq, "boot1", {"moisture": 0.2, "temperature": seconds})

    return Sensor(device_id=device, topic=topic("gateway-north", device), boot="boot1", last_seq=100, message=message)


def _sent(sensor: Sensor, ticks: int) -> list[tuple[Publication, tuple[object, ...]]]:
    return [message for tick in range(ticks) for message in sensors._messages(sensor, tick, 0.0)]


def test_readings_go_on_counting_where_the_sensor_was() -> None:
    readings = [json.loads(publication.payload) for publication, keys in _sent(_sensor(), 5)]
    assert [reading["seq"] for reading in readings] == [101, 102, 103, 104, 105]


def test_a_gateway_takes_what_is_a_reading_and_refuses_what_was_broken() -> None:
    for publication, keys in _sent(_sensor(), 40):
        time_now = sensors.datetime.now(sensors.UTC)
        found = payloads.read(publication.payload, "soil-01", time_now)
        assert len(found) == len(keys) == 1
        match found[0]:
            case Reading(device_id=device, seq=seq):
                assert keys == ((device, seq),)
            case Rejected(body=body):
                assert keys == (body,)


def test_every_kind_of_damage_is_sent_and_no_two_messages_are_equal() -> None:
    messages = [publication for device in ("soil-01", "soil-02") for publication, _ in _sent(_sensor(device), 40)]
    broken = [message for message in messages if b'"seq"' not in message.payload]
    assert len(broken) == 10
    assert len({(message.topic, message.payload) for message in messages}) == len(messages)


def test_the_unregistered_sensor_sends_good_readings_only() -> None:
    assert all(isinstance(keys[0], tuple) for _, keys in _sent(sensors.unregistered_sensor("gateway-north"), 40))


def test_a_message_that_no_sensor_sent_is_not_taken_for_one() -> None:
    with pytest.raises(KeyError):
        AttemptLog().keys([Publication("a", b"b")])


@pytest.mark.parametrize("parts", ["auto", "pip"])
def test_what_was_recorded_is_what_the_broker_received(tmp_path: Path, parts: str) -> None:
    received: set[Publication] = set()
    subscribed = threading.Event()
    log = AttemptLog()
    with Broker(tmp_path, parts) as broker:
        listener = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="listener")
        listener.on_message = lambda _, __, message: received.add(Publication(message.topic, bytes(message.payload)))
        listener.on_connect = lambda client, *_: client.subscribe("#", qos=1)
        listener.on_subscribe = lambda *_: subscribed.set()
        listener.connect("127.0.0.1", broker.port)
        listener.loop_start()
        assert subscribed.wait(10)
        with Sensors([_sensor(), _sensor("soil-02")], broker.port, 0.01, log) as running:
            assert eventually(lambda: len(log.attempted()) >= 30)
            running.stop()
        assert eventually(lambda: log.keys(list(received)) == log.attempted())
        listener.disconnect()
        listener.loop_stop()
