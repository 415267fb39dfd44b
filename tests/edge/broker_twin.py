"""A broker that answers as it is told: it lets a client in or not, and grants subscriptions or not. It keeps what it was asked."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from types import TracebackType

REFUSED = 0x80


class BrokerTwin:
    """Usage: `with BrokerTwin(grant=lambda topic: 1) as broker: connect("127.0.0.1", broker.port)`, then `broker.subscriptions`."""

    def __init__(self, *, enters: int = 0, grant: Callable[[str], int] = lambda _topic: 1) -> None:
        """`enters` is the return code of a CONNACK (0 is yes), `grant` the answer to a subscription: its QoS, or REFUSED."""
        self._enters, self._grant = enters, grant
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])
        self.client_ids: list[str] = []
        self.subscriptions: list[str] = []
        self.subscribed = threading.Event()
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> BrokerTwin:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._thread.join(10)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            with connection, connection.makefile("rb") as stream:
                while head := stream.read(1):
                    connection.sendall(self._answer(head[0], stream.read(_length(stream.read))))

    def _answer(self, head: int, body: bytes) -> bytes:
        match head >> 4:
            case 1:
                self.client_ids.append(_text(body, 10)[0])
                return bytes([0x20, 2, 0, self._enters])
            case 8:
                return self._suback(body)
            case 10:
                return b"\xb0\x02" + body[:2]
            case 3 if head & 6:
                _, end = _text(body, 0)
                return b"\x40\x02" + body[end : end + 2]
        return b""

    def _suback(self, body: bytes) -> bytes:
        at, topics = 2, list[str]()
        while at < len(body):
            topic, at = _text(body, at)
            topics.append(topic)
            at += 1
        self.subscriptions += topics
        self.subscribed.set()
        return bytes([0x90, 2 + len(topics), *body[:2], *map(self._grant, topics)])


def _text(body: bytes, at: int) -> tuple[str, int]:
    """Returns a text and where it ends."""
    end = at + 2 + int.from_bytes(body[at : at + 2], "big")
    return body[at + 2 : end].decode(), end


def _length(read: Callable[[int], bytes]) -> int:
    length = shift = 0
    while True:
        byte = read(1)[0]
        length |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return length
