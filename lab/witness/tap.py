"""Reads MQTT 3.1.1 along between broker and gateway, to know from outside what the gateway acknowledged.

*acknowledged* = the gateway sent PUBACK for a PUBLISH that this connection carried. Nothing of the system under test is asked.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

_PUBLISH, _PUBACK = 3, 4


@dataclass(frozen=True, slots=True)
class Publication:
    """Holds a message that the broker delivered to the gateway."""

    topic: str
    payload: bytes


@dataclass(slots=True)
class Tap:
    """Collects what was acknowledged on all connections: `TcpProxy(broker, tap.connection)`. Thread-safe."""

    _acknowledged: list[Publication] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def acknowledged(self) -> list[Publication]:
        """Returns them in the order of the PUBACKs; a message that was delivered and acknowledged twice is there twice."""
        with self._lock:
            return list(self._acknowledged)

    def connection(self) -> TappedConnection:
        """Returns an observer for a proxied connection whose client is the gateway."""
        return TappedConnection(self)

    def add(self, publication: Publication) -> None:
        with self._lock:
            self._acknowledged.append(publication)


class TappedConnection:
    """Observes one connection: packet identifiers mean nothing beyond it."""

    def __init__(self, tap: Tap) -> None:
        self._tap = tap
        self._from_client, self._from_broker = Packets(), Packets()
        self._unacknowledged: dict[int, Publication] = {}

    def sent(self, data: bytes) -> None:
        for kind, _, body in self._from_client.feed(data):
            if kind == _PUBACK:
                publication = self._unacknowledged.pop(int.from_bytes(body[:2], "big"), None)
                if publication is not None:
                    self._tap.add(publication)

    def received(self, data: bytes) -> None:
        for kind, flags, body in self._from_broker.feed(data):
            if kind == _PUBLISH and flags & 0b0110:
                end = 2 + int.from_bytes(body[:2], "big")
                self._unacknowledged[int.from_bytes(body[end : end + 2], "big")] = Publication(body[2:end].decode(), bytes(body[end + 2 :]))


class Packets:
    """Splits one direction of a connection into packets, however it is chunked."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[int, int, bytes]]:
        """Yields kind, flags and body (all after the fixed header) of each packet that is now complete."""
        self._rest += data
        while (lengths := _remaining_length(self._rest)) is not None:
            start, size = lengths
            if len(self._rest) < start + size:
                return
            head, body = self._rest[0], bytes(self._rest[start : start + size])
            del self._rest[: start + size]
            yield head >> 4, head & 0x0F, body


def _remaining_length(data: bytearray) -> tuple[int, int] | None:
    """Returns where the body starts, and its size (MQTT 3.1.1, 2.2.3); None while the length is incomplete."""
    size = 0
    for at in range(1, min(5, len(data))):
        size |= (data[at] & 0x7F) << 7 * (at - 1)
        if not data[at] & 0x80:
            return at + 1, size
    return None
