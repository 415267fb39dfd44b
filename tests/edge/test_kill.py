"""R1: what the gateway acknowledged survives kill -9 at any instant, once. Real broker, real gateway process, observed from outside."""

from __future__ import annotations

import json
import random
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest

from edge.store.store import Store
from lab.services.broker import Broker
from lab.services.child import Child, free_port
from lab.witness.tap import Tap
from lab.witness.tcp_proxy import TcpProxy
from tests import long_form
from tests.edge.gateways import stored_readings
from tests.waiting import eventually

KILLS = long_form.number(20, 1000)
SEED = 20260501
_SETTINGS = """
[gateway]
id = "gw-1"
state_dir = "state"
[mqtt]
port = {port}
[windows]
seconds = 1
grace_seconds = 0
[uplink]
kind = "pubsub"
topic = "projects/demo-project/topics/telemetry"
[uplink.retry]
initial_interval = 0.2
[[sensors]]
name = "soil"
devices = ["d*"]
channels = {{ moisture = "m3/m3" }}
"""

pytestmark = pytest.mark.skipif(
    shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin") is None,
    reason="mosquitto is not installed (apt install mosquitto)",
)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with Broker(tmp_path / "broker") as broker:
        yield broker


class Publisher:
    """A sensor that numbers its readings. `accepted` is how many the broker has taken over."""

    def __init__(self, port: int) -> None:
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="d1", clean_session=False)
        self._client.max_inflight_messages_set(100)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        self.sent = 0

    def send(self, count: int) -> None:
        for _ in range(count):
            self.sent += 1
            payload = json.dumps({"seq": self.sent, "boot": "b1", "time": time.time(), "values": {"moisture": 0.3}})
            last = self._client.publish("sensors/d1/readings", payload, qos=1)
        last.wait_for_publish(10)

    def stop(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def gateway(directory: Path) -> Child:
    """A gateway process that has no uplink."""
    offline = {"PUBSUB_EMULATOR_HOST": f"127.0.0.1:{free_port()}"}
    command = [sys.executable, "-m", "edge", "run", "--config", str(directory / "gateway.toml")]
    return Child("gateway", command, directory / "gateway.log", offline)


def acknowledged(tap: Tap) -> set[int]:
    return {json.loads(publication.payload)["seq"] for publication in tap.acknowledged() if publication.topic.startswith("sensors/")}


def log_of(directory: Path) -> str:
    return (directory / "gateway.log").read_text()


def test_no_kill_loses_or_doubles_an_acknowledged_reading(tmp_path: Path, broker: Broker) -> None:
    rng, tap = random.Random(SEED), Tap()
    with TcpProxy(("127.0.0.1", broker.port), tap.connection) as proxy:
        (tmp_path / "gateway.toml").write_text(_SETTINGS.format(port=proxy.port))
        with gateway(tmp_path) as first:
            assert eventually(lambda: "broker" in log_of(tmp_path) and "is online" in log_of(tmp_path)), log_of(tmp_path)
            first.kill()
        publisher = Publisher(broker.port)
        for kill in range(KILLS):
            long_form.progress(kill, KILLS)
            before, connections = len(acknowledged(tap)), proxy.connections
            with gateway(tmp_path) as child:
                publisher.send(50)
                # Some kills come while it starts, most while it stores and acknowledges, some while it cuts.
                if kill % 5:
                    assert eventually(lambda at=connections: proxy.connections > at), log_of(tmp_path)  # type: ignore[misc]
                    publisher.send(rng.randint(1, 300))
                if kill % 2:
                    assert eventually(lambda at=before: len(acknowledged(tap)) > at), log_of(tmp_path)  # type: ignore[misc]
                time.sleep(rng.uniform(0, 0.3))
                child.kill()
        publisher.stop()
        starts = log_of(tmp_path).count("gateway runs")
        with gateway(tmp_path) as last:
            assert eventually(lambda: log_of(tmp_path).count("gateway runs") > starts), log_of(tmp_path)
            everything = set(range(1, publisher.sent + 1))
            assert eventually(lambda: acknowledged(tap) == everything), f"seed {SEED}: {log_of(tmp_path)}"
            assert last.stop() == 0, log_of(tmp_path)
    store = Store(tmp_path / "state" / "store.db", "gw-1", 512 << 20)
    stored = stored_readings(store)
    store.close()
    assert dict(stored) == {("d1", seq): 1 for seq in everything}, f"seed {SEED}"
    long_form.note("R1", measured=f"{KILLS:,} kills, {len(everything):,} readings acknowledged, 0 lost, 0 doubled", seed=SEED)
