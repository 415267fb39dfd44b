"""A gateway whose state lies on a disk of 20 MiB of its own, which others may fill: a process, its broker, and what it sends up.

The disk is a tmpfs in the process's own mount namespace, so that nobody else sees it and nobody need be root.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt

from edge.store.reserve import reserve_file
from lab.services.broker import Broker
from lab.services.child import Child, free_port
from lab.witness.tap import Tap
from lab.witness.tcp_proxy import TcpProxy
from pipeline.body import rows_of
from schemas.intervals import IntervalSet
from schemas.message import unfolded

DISK_BYTES, BOUND = 20 << 20, 16 << 20
_SETTINGS = """
[gateway]
id = "gw-1"
state_dir = "state"
[mqtt]
port = {intake}
commit_milliseconds = 20
[windows]
seconds = 2
grace_seconds = 0
[batches]
seconds = 0
[store]
max_bytes = {bound}
[health]
port = {health}
[uplink]
kind = "mqtt"
host = "127.0.0.1"
port = {uplink}
client_id = "gw-1-up"
[uplink.retry]
initial_interval = 0.2
max_interval = 1.0
[[sensors]]
name = "soil"
devices = ["d*"]
channels = {{ moisture = "m3/m3" }}
"""
_NAMESPACE = ["unshare", "--mount", "--user", "--map-root-user"]
_ON_A_DISK = 'mount -t tmpfs -o size={size} tmpfs "$0" && exec "$@"'
_WIDE = {f"{number:060}": 0.5 for number in range(63)}
_READINGS_TOPIC, _UP = "sensors/d1/readings", "tinybeam/gw-1/#"


def has_namespaces() -> bool:
    """Whether this kernel lets a user mount a disk of its own."""
    if not shutil.which("unshare"):
        return False
    return subprocess.run([*_NAMESPACE, "mount", "-t", "tmpfs", "tmpfs", "/mnt"], check=False, capture_output=True).returncode == 0


class Cloud:
    """Counts the readings in the batches that came up, each batch once. It is the sensor too, which numbers its readings."""

    def __init__(self, port: int) -> None:
        self.readings: Counter[int] = Counter()
        self.sent = self.messages = 0
        """Readings, and the messages that they were in."""
        self._seen: set[str] = set()
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="cloud", clean_session=False)
        self._client.max_inflight_messages_set(0)
        self._client.on_message = self._receive
        subscribed = threading.Event()
        self._client.on_subscribe = lambda *_: subscribed.set()
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        self._client.subscribe(_UP, qos=1)
        assert subscribed.wait(10)

    def send(self, readings: int = 1) -> None:
        """Publishes a message; more than one reading take 4 kB of the journal each. Returns once the broker has it."""
        values = {"moisture": 0.3, **(_WIDE if readings > 1 else {})}
        numbers = range(self.sent + 1, self.sent + readings + 1)
        payload = json.dumps([{"seq": seq, "boot": "b1", "time": time.time(), "values": values} for seq in numbers])
        self._client.publish(_READINGS_TOPIC, payload, qos=1).wait_for_publish(10)
        self.sent, self.messages = self.sent + readings, self.messages + 1

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _receive(self, _client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        attributes, body = unfolded({"gateway_id": "gw-1", "kind": message.topic.split("/")[-1]}, message.payload)
        name = f"{attributes['epoch']}:{attributes['seq']}"
        if attributes["kind"] != "summaries" or name in self._seen:
            return
        self._seen.add(name)
        for row in rows_of(body).to_pylist():
            if row["channel"] == "moisture":
                self.readings.update(IntervalSet(row["seq_ranges"]))


class FullDisk:
    """Others, on the gateway's disk, seen from outside through its process."""

    def __init__(self, folder: Path, gateway: Child) -> None:
        self.folder = Path(f"/proc/{gateway.pid}/root{folder.absolute()}")
        self._foreign = self.folder / "foreign"

    def fill(self) -> None:
        """Takes every byte that is free."""
        with self._foreign.open("ab", buffering=0) as file:
            for size in (1 << 16, 1 << 12):
                with suppress(OSError):
                    while file.write(bytes(size)) == size:
                        pass

    def leave(self) -> None:
        self._foreign.unlink()

    @property
    def reserve(self) -> Path:
        """The file that the gateway keeps for this."""
        return reserve_file(self.folder / "store.db")


class Stand:
    """All of it together. `acknowledged` is what the gateway acknowledged on the wire; `uplink` can be cut."""

    def __init__(self, folder: Path, broker: Broker, intake: TcpProxy, uplink: TcpProxy, tap: Tap) -> None:
        self._health, self._tap, self.uplink, self._log = free_port(), tap, uplink, folder / "gateway.log"
        (folder / "state").mkdir(parents=True)
        ports = {"intake": intake.port, "uplink": uplink.port, "health": self._health}
        (folder / "gateway.toml").write_text(_SETTINGS.format(bound=BOUND, **ports))
        run = [sys.executable, "-m", "edge", "run", "--config", str(folder / "gateway.toml")]
        mounted = [*_NAMESPACE, "sh", "-c", _ON_A_DISK.format(size=DISK_BYTES), str(folder / "state"), *run]
        self.cloud, self.gateway = Cloud(broker.port), Child("gateway", mounted, self._log)
        self.disk = FullDisk(folder / "state", self.gateway)

    @property
    def acknowledged(self) -> int:
        """How many messages were acknowledged: one that was repeated counts once."""
        return len({publication.payload for publication in self._tap.acknowledged() if publication.topic == _READINGS_TOPIC})

    def health(self) -> dict[str, Any]:
        """What the gateway says of itself; nothing while it does not answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._health}/healthz", timeout=5) as answer:
                return dict(json.load(answer))
        except urllib.error.HTTPError as answer:
            return dict(json.load(answer))
        except OSError:
            return {}

    def is_cut(self) -> bool:
        """Whether all that was sent is in batches."""
        return self.health().get("readings_summarised") == self.cloud.sent

    def is_refusing(self) -> bool:
        """Whether it has said that it takes no more."""
        return "readings are not acknowledged" in self.log()

    def log(self) -> str:
        return self._log.read_text()

    def close(self) -> None:
        self.gateway.stop()
        self.cloud.close()


@contextmanager
def stand(folder: Path) -> Iterator[Stand]:
    """Gives a gateway that runs, and its surroundings."""
    tap = Tap()
    with (
        Broker(folder / "broker") as broker,
        TcpProxy(("127.0.0.1", broker.port), tap.connection) as intake,
        TcpProxy(("127.0.0.1", broker.port)) as uplink,
    ):
        running = Stand(folder, broker, intake, uplink, tap)
        try:
            running.gateway.wait_until(lambda: running.health().get("broker_state") == "online", "running")
            yield running
        finally:
            running.close()
