"""The broker's messages -> a bounded queue, and acknowledgements back; the only file that knows paho.

At least once: QoS 1, a persistent session, and no PUBACK before `acknowledge` is called. A message that is never acknowledged comes
again at the next connection. Reconnects for ever. When the queue is full it stops reading, and the broker keeps what is to come.
"""

from __future__ import annotations

import logging
import queue
import socket
import ssl
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from edge.config import Mqtt
from edge.intray import Message

_MOST_WAITING = 2000
_MOST_BYTES = 1 << 20
_MOST_RECONNECT_SECONDS = 30
_PATIENCE = 0.5

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message that waits for its acknowledgement. A packet identifier means something on its own connection only."""

    message: Message
    packet: int
    connection: int


class Intake:
    """From `start` to `stop` a client of the broker. `take` and `acknowledge` are called by one thread, which is not the client's."""

    def __init__(self, settings: Mqtt, gateway_id: str, tls: ssl.SSLContext | None) -> None:
        self._settings, self._status_topic = settings, f"gateways/{gateway_id}/status"
        self._waiting: queue.Queue[Delivery] = queue.Queue(_MOST_WAITING)
        self._stopping = threading.Event()
        self._connection, self._connected = 0, False
        # An acknowledgement must not slip from one connection into the next, where its number may name another message.
        self._lock = threading.Lock()
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=settings.client_id or gateway_id,
            clean_session=False,
            protocol=mqtt.MQTTv311,
            manual_ack=True,
            reconnect_on_failure=True,
        )
        self._client.will_set(self._status_topic, "offline", qos=1, retain=True)
        self._client.reconnect_delay_set(1, _MOST_RECONNECT_SECONDS)
        if tls is not None:
            self._client.tls_set_context(tls)
        self._listen()

    @property
    def state(self) -> str:
        """online or offline."""
        return "online" if self._connected else "offline"

    def start(self) -> None:
        """Connects, and goes on trying; does not wait."""
        self._client.connect_async(self._settings.host, self._settings.port, self._settings.keepalive_seconds)
        self._client.loop_start()

    def take(self, seconds: float) -> list[Delivery]:
        """Waits so long for a first message, then gathers what comes within mqtt.commit_milliseconds, up to mqtt.commit_messages."""
        try:
            taken = [self._waiting.get(timeout=seconds)]
        except queue.Empty:
            return []
        until = time.monotonic() + self._settings.commit_milliseconds / 1000
        size = len(taken[0].message.payload)
        while len(taken) < self._settings.commit_messages and size < _MOST_BYTES:
            try:
                taken.append(
                    self._waiting.get(timeout=max(until - time.monotonic(), 0)) if time.monotonic() < until else self._waiting.get_nowait()
                )
            except queue.Empty:
                break
            size += len(taken[-1].message.payload)
        return taken

    def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        """What came on a connection that is gone is left alone: the broker delivers it again, and it is recognised."""
        for delivery in deliveries:
            with self._lock:
                if delivery.connection == self._connection:
                    self._client.ack(delivery.packet, 1)

    def stop(self, seconds: float = 2.0) -> None:
        """Says that the gateway is offline and leaves. What is not acknowledged stays with the broker."""
        self._stopping.set()
        if self._connected:
            self._say("offline", seconds)
        self._client.disconnect()
        self._client.loop_stop()

    def _listen(self) -> None:
        self._client.on_connect = self._on_connect
        self._client.on_connect_fail = self._on_connect_fail
        self._client.on_disconnect = self._on_disconnect
        self._client.on_message = self._on_message
        self._client.on_subscribe = self._on_subscribe
        self._client.on_socket_open = _without_delay

    def _say(self, state: str, seconds: float) -> None:
        said = self._client.publish(self._status_topic, state, qos=1, retain=True)
        try:
            said.wait_for_publish(seconds)
        except (RuntimeError, ValueError):
            _log.warning("broker: could not say that the gateway is %s", state)

    def _on_connect(self, client: mqtt.Client, _data: Any, flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            _log.error("broker %s refuses the gateway: %s; trying again", self._place(), reason)
            return
        self._connected = True
        _log.warning("broker %s is online (%s session)", self._place(), "kept" if flags.session_present else "new")
        client.subscribe(self._settings.topic, qos=1)
        client.publish(self._status_topic, "online", qos=1, retain=True)

    def _on_connect_fail(self, _client: mqtt.Client, _data: Any) -> None:
        _log.error("broker %s cannot be reached; trying again, at most %d s apart", self._place(), _MOST_RECONNECT_SECONDS)

    def _on_disconnect(self, _client: mqtt.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        with self._lock:
            self._connection += 1
        self._connected = False
        if not self._stopping.is_set():
            _log.error("broker %s is offline: %s; trying again", self._place(), reason)

    def _on_subscribe(self, _client: mqtt.Client, _data: Any, _mid: int, reasons: Any, _properties: Any) -> None:
        if any(reason.is_failure for reason in reasons):
            _log.error("broker %s refuses the subscription to %s", self._place(), self._settings.topic)

    def _on_message(self, client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        delivery = Delivery(Message(message.topic, bytes(message.payload), message.dup), message.mid, self._connection)
        while not self._stopping.is_set():
            try:
                self._waiting.put(delivery, timeout=_PATIENCE)
            except queue.Full:
                continue
            return

    def _place(self) -> str:
        return f"{self._settings.host}:{self._settings.port}"


def _without_delay(_client: mqtt.Client, _data: Any, opened: Any) -> None:
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
