"""Measures how long a single message waits for its acknowledgement, on the wire between broker and gateway.

From the broker's PUBLISH to the gateway's PUBACK, so it includes mqtt.commit_milliseconds and the commit to disk.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from bench import flood
from lab.services.broker import Broker
from lab.witness.tap import Packets
from lab.witness.tcp_proxy import TcpProxy

_PUBLISH, _PUBACK = 3, 4
_GAP_SECONDS = 0.05


class Stopwatch:
    """Observes a proxied connection whose client is the gateway."""

    def __init__(self) -> None:
        self._from_client, self._from_broker = Packets(), Packets()
        self._sent_at: dict[bytes, float] = {}
        self.seconds: list[float] = []

    def sent(self, data: bytes) -> None:
        for kind, _, body in self._from_client.feed(data):
            if kind == _PUBACK and body in self._sent_at:
                self.seconds.append(time.perf_counter() - self._sent_at.pop(body))

    def received(self, data: bytes) -> None:
        for kind, flags, body in self._from_broker.feed(data):
            if kind == _PUBLISH and flags & 0b0110:
                end = 2 + int.from_bytes(body[:2], "big")
                self._sent_at[body[end : end + 2]] = time.perf_counter()


def acknowledgement_seconds(command: Callable[[int, Path, int], list[str]], client_id: str, count: int, folder: Path) -> list[float]:
    """Measures each of `count` messages. `command` starts a gateway on a port and a folder that ends after so many."""
    stopwatch = Stopwatch()
    with Broker(folder / "broker") as broker, TcpProxy(("127.0.0.1", broker.port), lambda: stopwatch) as proxy:
        flood.open_session(broker.port, client_id)
        with subprocess.Popen(command(proxy.port, folder, count), stdout=subprocess.DEVNULL) as gateway:
            try:
                for number in range(count):
                    flood.publish(broker.port, 1, first=number)
                    time.sleep(_GAP_SECONDS)
                gateway.wait(30)
            finally:
                gateway.kill()
    return stopwatch.seconds
