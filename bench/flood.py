"""Fills a gateway's session on a broker faster than any gateway empties it: MQTT 3.1.1 on a bare socket. It is for measuring only."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager

TOPIC = "sensors/+/readings"
PAYLOAD_BYTES = 128
DEVICES = 100
_IN_FLIGHT = 1000
_CHUNK = 1 << 16


def device(number: int) -> str:
    return f"soil-{number:03}"


def open_session(port: int, client_id: str) -> None:
    """Opens and leaves the session in which the broker keeps messages while the client is away."""
    with _connected(port, client_id, clean=False) as connection:
        topic = _text(TOPIC)
        connection.sendall(_packet(0x82, struct.pack(">H", 1) + topic + b"\1"))
        _exactly(connection, 5)


def publish(port: int, count: int, first: int = 0) -> None:
    """Publishes `count` readings at QoS 1, from number `first` on; returns when the broker has them all.

    They are of DEVICES devices in turn, each with its own seq.
    """
    with _connected(port, "flood", clean=True) as connection:
        sent = accepted = 0
        while accepted < count:
            numbers = range(first + sent, first + sent + min(_IN_FLIGHT - (sent - accepted), count - sent))
            connection.sendall(b"".join(_reading(number) for number in numbers))
            sent += len(numbers)
            accepted += len(connection.recv(_CHUNK)) // 4


def undelivered_bytes(port: int, client_id: str, seconds: float = 0.3) -> int:
    """Counts what the broker delivers when the client comes back, at least: 0 means that everything was acknowledged."""
    with _connected(port, client_id, clean=False) as connection:
        connection.settimeout(seconds)
        try:
            return len(connection.recv(_CHUNK))
        except TimeoutError:
            return 0


def _reading(number: int) -> bytes:
    body = f'{{"time":{time.time():.3f},"seq":{number // DEVICES},"boot":"ab12cd34","values":{{"moisture":0.2312,"temperature":14.21}}}}'
    topic = _text(f"sensors/{device(number % DEVICES)}/readings")
    return _packet(0x32, topic + struct.pack(">H", number % 65535 + 1) + body.encode().ljust(PAYLOAD_BYTES))


@contextmanager
def _connected(port: int, client_id: str, *, clean: bool) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(_packet(0x10, _text("MQTT") + bytes([4, 2 if clean else 0]) + struct.pack(">H", 0) + _text(client_id)))
        if _exactly(connection, 4)[3]:
            raise ConnectionError("the broker refuses the connection")
        yield connection
        connection.sendall(b"\xe0\0")


def _exactly(connection: socket.socket, count: int) -> bytes:
    read = b""
    while len(read) < count:
        if not (part := connection.recv(count - len(read))):
            raise ConnectionError("the broker closed the connection")
        read += part
    return read


def _packet(head: int, body: bytes) -> bytes:
    size, length = len(body), bytearray()
    while True:
        size, low = divmod(size, 128)
        length.append(low | (0x80 if size else 0))
        if not size:
            return bytes([head, *length]) + body


def _text(text: str) -> bytes:
    return struct.pack(">H", len(text)) + text.encode()
