"""Is one connection to a broker that takes batches: what is published over it is confirmed by the broker, or fails with the connection.

Nothing is kept by the client: a session that ended is replaced by another, and the gateway's store knows what is to be sent again.
"""

from __future__ import annotations

import ssl
import threading
from concurrent.futures import Future
from contextlib import suppress
from socket import socket
from typing import TYPE_CHECKING, Any, cast

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from edge.client_tls import TlsFiles

if TYPE_CHECKING:
    from edge.uplink.mqtt import MqttUplinkSettings

CONNECT_SECONDS = 15.0
_NO_SUBSCRIBERS = 0x10
"""MQTT 5, 3.4.2.1: taken, but nobody has subscribed."""


_NOT_PERMITTED = {0x85, 0x86, 0x87, 0x8A, 0x8C}
"""MQTT 5, 2.4: client identifier not valid, bad user name or password, not authorized, banned, bad authentication method."""


class NotTaken(ConnectionError):
    """The broker confirmed that it did not take a message."""


class NotPermitted(NotTaken):
    """The broker answered that this client may not do that: come in, or send a message."""


class AttentiveSocket(ssl.SSLSocket):
    """Remembers what the other side said by TLS when it broke off: by TLS 1.3 it refuses a certificate after the handshake."""

    fault: ssl.SSLError | None = None

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        try:
            return super().recv(buflen, flags)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except ssl.SSLError as error:
            self.fault = error
            raise

    def send(self, data: Any, flags: int = 0) -> int:
        try:
            return super().send(data, flags)
        except (BrokenPipeError, ConnectionResetError, ssl.SSLEOFError):
            # What it said before it closed is still to be read.
            with suppress(OSError):
                self.recv(1)
            raise


class MqttSession:
    """Connects at its making, and is used by any thread until it is closed."""

    def __init__(self, settings: MqttUplinkSettings, client_id: str) -> None:
        """Raises ConfigError, OSError."""
        self._needs_subscriber = settings.needs_subscriber
        self._answered, self._refusal, self._is_permitted = threading.Event(), "it did not answer", True
        self._lock, self._is_open = threading.Lock(), True
        self._futures: dict[int, Future[None]] = {}
        is_5 = settings.protocol == "5"
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            clean_session=None if is_5 else True,
            protocol=mqtt.MQTTv5 if is_5 else mqtt.MQTTv311,
            reconnect_on_failure=False,
        )
        self._client.on_connect, self._client.on_disconnect, self._client.on_publish = self._connected, self._disconnected, self._published
        if settings.user:
            self._client.username_pw_set(settings.user)
        self._client.connect_timeout = CONNECT_SECONDS
        self._connect(settings)
        self._client.loop_start()
        if not self._answered.wait(CONNECT_SECONDS) or self._refusal:
            self.close()
            kind = ConnectionError if self._is_permitted else NotPermitted
            raise kind(f"the broker refuses {client_id!r}: {self._refusal}") from self._fault

    def _connect(self, settings: MqttUplinkSettings) -> None:
        self._handshake = _Handshake(files) if (files := settings.tls()) else None
        if self._handshake:
            self._client.tls_set_context(cast("Any", self._handshake))
        try:
            self._client.connect(settings.host, settings.port)
        except BaseException:
            if self._handshake and self._handshake.connection:
                self._handshake.connection.close()
            raise

    @property
    def _fault(self) -> ssl.SSLError | None:
        """Returns what the broker said by TLS when it broke off."""
        return getattr(self._handshake.connection, "fault", None) if self._handshake else None

    @property
    def is_open(self) -> bool:
        return self._is_open

    def publish(self, topic: str, payload: bytes) -> Future[None]:
        """Returns what becomes of the message. Raises ConnectionError if it cannot even be sent."""
        information = self._client.publish(topic, payload, qos=1)
        if information.rc != mqtt.MQTT_ERR_SUCCESS:
            raise ConnectionError(mqtt.error_string(information.rc))
        # The confirmation may be there before this line: whoever comes first makes the future.
        future = self._futures.setdefault(information.mid, Future())
        future.add_done_callback(lambda _: self._futures.pop(information.mid, None))
        if not self._is_open:
            self._fail(future)
        return future

    def close(self) -> None:
        self._end()
        self._client.disconnect()
        self._client.loop_stop()

    def _connected(self, _client: mqtt.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        self._refusal = str(reason) if reason.is_failure else ""
        self._is_permitted = reason.value not in _NOT_PERMITTED
        self._answered.set()

    def _disconnected(self, _client: mqtt.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        self._refusal = self._refusal or str(reason)
        self._answered.set()
        self._end()

    def _published(self, _client: mqtt.Client, _data: Any, mid: int, reason: Any, _properties: Any) -> None:
        future = self._futures.setdefault(mid, Future())
        not_taken = reason.is_failure or (self._needs_subscriber and reason.value == _NO_SUBSCRIBERS)
        with self._lock:
            if not future.done():
                kind = NotPermitted if reason.value in _NOT_PERMITTED else NotTaken
                future.set_exception(kind(f"the broker answers: {reason}")) if not_taken else future.set_result(None)

    def _end(self) -> None:
        self._is_open = False
        for future in list(self._futures.values()):
            self._fail(future)

    def _fail(self, future: Future[None]) -> None:
        with self._lock:
            if not future.done():
                future.set_exception(ConnectionError(f"the connection to the broker ended: {self._refusal}"))


class _Handshake:
    """Stands where paho wants an `ssl.SSLContext`; remembers the connection, which paho leaves open if the handshake fails."""

    check_hostname = True

    def __init__(self, files: TlsFiles) -> None:
        self._files = files
        self.connection: ssl.SSLSocket | None = None

    def wrap_socket(self, connection: socket, server_hostname: str | None = None, *, do_handshake_on_connect: bool = True) -> ssl.SSLSocket:
        self.connection = self._files.wrap_socket(connection, server_hostname, do_handshake_on_connect=do_handshake_on_connect)
        return self.connection
