"""Takes the broker's messages into a bounded queue, and sends acknowledgements back; the only module that knows paho.

At least once: QoS 1, a persistent session, and no PUBACK before `acknowledge` is called. A message that is never acknowledged comes
again at the next connection. Reconnects for ever. When the queue is full it stops reading, and the broker keeps what is to come.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any, cast

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from edge.intake.backlog import Backlog
from edge.intake.receive_queue import ReceiveQueue
from edge.intake.stream import Incoming, Stream, queued
from edge.intake.tls import TlsFiles
from edge.password import password
from edge.settings.mqtt import MqttSettings
from program import logs
from schemas.records import LinkState

__all__ = ["Incoming", "Intake"]

_MAX_RECONNECT_SECONDS = 30

_log = logs.get(__name__)


def status_topic(gateway_id: str) -> str:
    """Returns the topic on which the broker keeps whether a gateway is online or offline."""
    return f"gateways/{gateway_id}/status"


class Intake:
    """Is a client of the broker from `start` to `stop`. `take` and `acknowledge` are called by one thread, which is not the client's.

    Usage: `incoming = intake.take(seconds)`, store it, `intake.acknowledge(incoming)`.
    """

    def __init__(self, settings: MqttSettings, gateway_id: str, tls: TlsFiles | None, topics: Sequence[str]) -> None:
        """`topics` are the filters to subscribe to, those of all classes. Raises ConfigError for a password file."""
        self._topics = list(topics)
        self._settings, self._status_topic = settings, status_topic(gateway_id)
        self.waiting = ReceiveQueue(settings.commit_messages)
        """What `take` takes from; others may put messages in, too."""
        self._stopping = threading.Event()
        self._connected, self._backlog = False, Backlog()
        self._client = _Client(
            self.waiting.put,
            CallbackAPIVersion.VERSION2,
            client_id=settings.client_id or gateway_id,
            clean_session=False,
            protocol=mqtt.MQTTv311,
            manual_ack=True,
            reconnect_on_failure=True,
        )
        self._client.will_set(self._status_topic, LinkState.OFFLINE.value, qos=1, retain=True)
        self._client.reconnect_delay_set(1, _MAX_RECONNECT_SECONDS)
        if settings.user:
            self._client.username_pw_set(settings.user, password("mqtt.password_file", settings.password_file))
        if tls is not None:
            self._client.tls_set_context(cast("Any", tls))
        self._listen()

    @property
    def state(self) -> LinkState:
        return LinkState.ONLINE if self._connected else LinkState.OFFLINE

    def start(self) -> None:
        """Connects, and goes on trying; does not wait."""
        self._client.connect_async(self._settings.host, self._settings.port, self._settings.keepalive_seconds)
        self._client.loop_start()

    def take(self, seconds: float) -> list[Incoming]:
        """Waits so long for a first message, then gathers what comes within mqtt.commit_milliseconds, up to mqtt.commit_messages.

        What may have waited in the broker says so; what others put in has not.
        """
        incoming = self.waiting.take(seconds, self._settings.commit_milliseconds / 1000)
        if not incoming or not self._backlog.may_hold(time.monotonic()):
            return incoming
        return [queued(each) if isinstance(each.stream, Stream) else each for each in incoming]

    def acknowledge(self, incoming: Sequence[Incoming]) -> None:
        """Sends acknowledgements; those of a connection that is gone are left out: the broker delivers again, which is recognised."""
        for stream, group in groupby(incoming, key=lambda each: each.stream):
            stream.acknowledge([each.packet for each in group if each.packet])

    def stop(self, seconds: float = 2.0) -> None:
        """Publishes that the gateway is offline and disconnects. What is not acknowledged stays with the broker."""
        self._stopping.set()
        self.waiting.close()
        if self._connected:
            self._publish_state(LinkState.OFFLINE, seconds)
        self._client.disconnect()
        self._client.loop_stop()

    def _listen(self) -> None:
        self._client.on_connect = self._on_connect
        self._client.on_connect_fail = self._on_connect_fail
        self._client.on_disconnect = self._on_disconnect
        self._client.on_message = self._on_message
        self._client.on_subscribe = self._on_subscribe

    def _publish_state(self, state: LinkState, seconds: float) -> None:
        publication = self._client.publish(self._status_topic, state.value, qos=1, retain=True)
        try:
            publication.wait_for_publish(seconds)
        except (RuntimeError, ValueError):
            _log.warning("broker: could not publish that the gateway is %s", state)

    def _on_connect(self, client: mqtt.Client, _data: Any, flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            _log.error("broker %s refuses the gateway: %s; trying again", self._address(), reason)
            return
        self._connected = True
        if flags.session_present:
            self._backlog.begin(time.monotonic())
        _log.info("broker %s is online (%s session)", self._address(), "kept" if flags.session_present else "new")
        client.subscribe([(topic, 1) for topic in self._topics])
        client.publish(self._status_topic, LinkState.ONLINE.value, qos=1, retain=True)

    def _on_connect_fail(self, _client: mqtt.Client, _data: Any) -> None:
        _log.error("broker %s cannot be reached; trying again, at most %d s apart", self._address(), _MAX_RECONNECT_SECONDS)

    def _on_disconnect(self, _client: mqtt.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        self._connected = False
        if not self._stopping.is_set():
            _log.error("broker %s is offline: %s; trying again", self._address(), reason)

    def _on_subscribe(self, _client: mqtt.Client, _data: Any, _mid: int, reasons: Any, _properties: Any) -> None:
        for topic, reason in zip(self._topics, reasons, strict=False):
            if reason.is_failure:
                _log.error("broker %s refuses the subscription to %s", self._address(), topic)

    def _on_message(self, _client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        """Logs what paho sees nevertheless: messages at QoS 2, which nobody subscribed to; all, if its socket is not our stream."""
        _log.error("a message on %s at QoS %d is neither stored nor acknowledged", message.topic, message.qos)

    def _address(self) -> str:
        return f"{self._settings.host}:{self._settings.port}"


class _Client(mqtt.Client):
    """Gives paho our stream instead of its socket: it has no other seam for that."""

    def __init__(self, put: Callable[[list[Incoming]], None], *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self._put = put

    def _create_socket(self) -> Any:
        connection = cast("socket.socket", super()._create_socket())
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return Stream(connection, self._put)
