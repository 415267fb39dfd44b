"""The lab's broker with a farm: who has a certificate comes in, and at mosquitto each writes under its own name alone."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from queue import Queue

import pytest
from paho.mqtt.client import CallbackAPIVersion, Client

from keys.holder import Role
from lab.services.broker import Broker
from lab.services.farm import Farm
from lab.up import publish_command
from lab.world.field import REGISTRY, fields, topic
from schemas.registry import Registry
from tests.waiting import eventually

MOSQUITTO = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin")
SECONDS = 30.0


def client(farm: Farm, broker: Broker, name: str, role: Role) -> Client:
    client = Client(CallbackAPIVersion.VERSION2, client_id=name, clean_session=False)
    client.tls_set_context(farm.client_context(name, role))
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    assert eventually(client.is_connected, SECONDS)
    return client


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
@pytest.mark.parametrize(
    ("parts", "forged"),
    [
        pytest.param("auto", 0, marks=pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed (apt install mosquitto)")),
        pytest.param("pip", 1, id="pip, which knows no names"),
    ],
)
def test_a_certificate_is_needed_and_says_under_which_name_one_writes(tmp_path: Path, parts: str, forged: int) -> None:
    farm, heard, subscribed = Farm(tmp_path), Queue[str](), Queue[object]()
    farm.identity("gateway-1", Role.GATEWAY)
    with Broker(tmp_path / "broker", parts, farm) as broker:
        stranger = Client(CallbackAPIVersion.VERSION2, client_id="stranger", reconnect_on_failure=False)
        stranger.tls_set(str(farm.trusted))
        left = Queue[object]()
        stranger.on_disconnect = lambda *_: left.put(None)
        try:
            stranger.connect("127.0.0.1", broker.port)
            stranger.loop_start()
            left.get(timeout=SECONDS)
        except OSError:
            pass
        assert not stranger.is_connected()
        stranger.loop_stop()
        gateway, sensor = client(farm, broker, "gateway-1", Role.GATEWAY), client(farm, broker, "soil-01", Role.SENSOR)
        gateway.on_message = lambda _client, _data, message: heard.put(message.topic)
        gateway.on_subscribe = lambda *_: subscribed.put(None)
        gateway.subscribe("gateway-1/sensors/+/readings", 1)
        subscribed.get(timeout=SECONDS)
        for name in ("soil-02", "soil-01"):
            sensor.publish(f"gateway-1/sensors/{name}/readings", "1", qos=1).wait_for_publish(SECONDS)
        topics = [heard.get(timeout=SECONDS) for _ in range(1 + forged)]
        assert sorted(topics) == sorted(["gateway-1/sensors/soil-01/readings", "gateway-1/sensors/soil-02/readings"][: 1 + forged])
        assert heard.empty()
        for each in (gateway, sensor):
            each.disconnect()
            each.loop_stop()


@pytest.mark.skipif(MOSQUITTO is None or shutil.which("mosquitto_pub") is None, reason="mosquitto-clients is not installed")
def test_the_command_that_is_shown_publishes_a_reading_and_only_under_the_name_of_its_certificate(tmp_path: Path) -> None:
    farm, heard, subscribed = Farm(tmp_path), Queue[bytes](), Queue[object]()
    device = fields(Registry.load(REGISTRY))[0]
    farm.identity(device.gateway_id, Role.GATEWAY)
    with Broker(tmp_path / "broker", "auto", farm) as broker:
        gateway = client(farm, broker, device.gateway_id, Role.GATEWAY)
        gateway.on_message = lambda _client, _data, message: heard.put(message.payload)
        gateway.on_subscribe = lambda *_: subscribed.put(None)
        gateway.subscribe(topic(device.gateway_id, "+"), 1)
        subscribed.get(timeout=SECONDS)
        command = publish_command(farm, broker.port, device)
        forged = [word.replace(device.topic, topic(device.gateway_id, "another")).replace("0.21", "0.99") for word in command]
        for words in (forged[: forged.index("-q")] + forged[forged.index("-t") :], command):
            subprocess.run(words, check=True, timeout=SECONDS)
        assert json.loads(heard.get(timeout=SECONDS)) == {"values": {"moisture": 0.21, "temperature": 17.5}}
        gateway.disconnect()
        gateway.loop_stop()
