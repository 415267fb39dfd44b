"""A sensor at a real broker, which numbers its readings and keeps each until the broker has taken it over."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import paho.mqtt.client as mqtt

from tests.waiting import eventually

MOIST: Mapping[str, float] = MappingProxyType({"moisture": 0.3})


class Publisher:
    """Is the device d1. `sent` is the number of its latest reading; it connects again a second after it lost the broker."""

    def __init__(self, port: int, *, has_clock: bool = True, values: Mapping[str, float] = MOIST) -> None:
        self._has_clock, self._values = has_clock, dict(values)
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="d1", clean_session=False)
        self._client.max_inflight_messages_set(100)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_publish = self._on_publish
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        self.sent = self._taken = 0

    def put(self, count: int) -> None:
        """Sends so many readings, or keeps them for when the broker is there."""
        for _ in range(count):
            self.sent += 1
            own = {"time": time.time()} if self._has_clock else {}
            payload = json.dumps({"seq": self.sent, "boot": "b1", "values": self._values, **own})
            self._client.publish("sensors/d1/readings", payload, qos=1)

    def send(self, count: int) -> None:
        """Sends so many readings, and waits until the broker has taken all."""
        self.put(count)
        assert eventually(lambda: self._taken == self.sent, 30.0), f"the broker took {self._taken} of {self.sent}"

    def stop(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _on_publish(self, *_: Any) -> None:
        self._taken += 1
