"""Reads publications from the broker's byte stream in bulk; everything else is paho's.

paho reads three times from its socket and makes a dozen calls for each message; that is most of what a message costs a gateway. A
Stream replaces the socket: connection, TLS, session, pings and reconnects remain paho's, to the byte. No promise changes: an
acknowledgement goes to the connection that the message came on, whole, or, once that is closed, nowhere.
"""

from __future__ import annotations

import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec

from edge.intake.reader import MqttMessage

_CHUNK = 1 << 16
_PUBLISH, _PUBLISH_BITS, _DUP, _AT_LEAST_ONCE, _RETAIN = 0x30, 0xF4, 0x08, 0x02, 0x01
_MAX_PACKET_BYTES = 1 << 28
_PUBACK = 0x4002_0000
_PINGRESP = b"\xd0\0"
_KEPT_BYTES = (1 << 20) + (1 << 17)
"""So much of a packet is kept at most: the longest topic, and a payload longer than mqtt.max_payload_bytes may be."""
_SIGN_SECONDS = 2.0
"""Less than half of the shortest mqtt.keepalive_seconds."""


class Origin(Protocol):
    """Is where a message came from, and is told that it is stored: a Stream, or a request over HTTP."""

    def acknowledge(self, packets: Sequence[int], /) -> None: ...


class Incoming(msgspec.Struct, frozen=True, gc=False):
    """Holds a message that waits for its acknowledgement. A packet identifier means something to its own origin only; 0: nothing to say."""

    message: MqttMessage
    packet: int
    stream: Origin


def queued(incoming: Incoming) -> Incoming:
    """Marks a message as one that may have waited in the broker."""
    return Incoming(msgspec.structs.replace(incoming.message, queued=True), incoming.packet, incoming.stream)


class Stream:
    """Does what paho asks of a socket. `put` is called with the incoming messages, in order, on paho's thread; it may block."""

    def __init__(self, connection: socket.socket, put: Callable[[list[Incoming]], None]) -> None:
        # A descriptor must not be closed and reused while another thread writes to it, and TLS does not bear two threads at once.
        self._lock = threading.Lock()
        self._connection, self._put = connection, put
        self._arrived, self._for_paho, self._leaving = bytearray(), bytearray(), bytearray()
        self._large: _Large | None = None
        self._next_sign = 0.0

    def recv(self, size: int) -> bytes:
        """Gives paho the next bytes that are no publication; none at the end of the connection. Raises BlockingIOError, OSError."""
        if not self._for_paho:
            with self._lock:
                data = self._connection.recv(_CHUNK)
            if not data:
                return data
            self._arrived += self._behind_large(data) if self._large else data
            body, end = _bounds(self._arrived, 0)
            if end <= len(self._arrived):
                self._split()
            elif len(self._arrived) >= body + _KEPT_BYTES and self._arrived[0] & _PUBLISH_BITS == _PUBLISH:
                self._large = _Large(bytes(self._arrived), body, end - len(self._arrived))
                self._arrived.clear()
        if not self._for_paho:
            raise BlockingIOError
        data = bytes(self._for_paho[:size])
        del self._for_paho[:size]
        return data

    def send(self, data: bytes | bytearray) -> int:
        """Takes whole packets from paho. All bytes are accepted, so that nothing comes between two halves of a packet."""
        with self._lock:
            self._leaving += data
            self._flush()
        return len(data)

    def acknowledge(self, packets: Sequence[int]) -> None:
        """Sends the PUBACKs in one piece, or nothing if the connection is gone: then the broker delivers the messages again."""
        data = struct.pack(f">{len(packets)}I", *[_PUBACK | packet for packet in packets])
        try:
            self.send(data)
        except OSError:
            # paho finds the connection broken when it reads.
            return

    def pending(self) -> int:
        """Counts bytes that can be read though the operating system has none."""
        with self._lock:
            decrypted = getattr(self._connection, "pending", int)()
        return len(self._for_paho) + int(decrypted)

    def fileno(self) -> int:
        return self._connection.fileno()

    def setblocking(self, flag: bool) -> None:  # noqa: FBT001 - the socket's own
        self._connection.setblocking(flag)

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def _split(self) -> None:
        incoming, rest, at = split(bytes(self._arrived), self)
        del self._arrived[:at]
        self._for_paho += rest
        if incoming:
            self._give_sign(time.monotonic())
            self._put(incoming)

    def _behind_large(self, data: bytes) -> bytes:
        """Lets the rest of a publication go that nobody wants whole, and hands its beginning on at its end; returns what follows it."""
        assert self._large
        passing = min(len(data), self._large.to_come)
        self._large.to_come -= passing
        self._large.left_out += passing
        self._give_sign(time.monotonic())
        if not self._large.to_come:
            publication = self._large.publication(self)
            self._large = None
            if publication:
                self._put([publication])
        return data[passing:]

    def _give_sign(self, now: float) -> None:
        """Shows paho, which sees no publication, that the broker lives; not with each, for reading it costs more than the publication."""
        if now >= self._next_sign:
            self._for_paho += _PINGRESP
            self._next_sign = now + _SIGN_SECONDS

    def _flush(self) -> None:
        """Sends what waits: what the operating system does not take now goes with the next packet, at the latest with a ping."""
        try:
            while self._leaving:
                del self._leaving[: self._connection.send(self._leaving)]
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return


@dataclass(slots=True)
class _Large:
    """Holds the first bytes of a publication that is too large whatever the settings are, while the others stream by."""

    head: bytes
    body: int
    to_come: int
    left_out: int = 0

    def publication(self, stream: Stream) -> Incoming | None:
        incoming = _publication(self.head[0], self.head, self.body, len(self.head), stream)
        if incoming is None:
            return None
        return Incoming(msgspec.structs.replace(incoming.message, left_out=self.left_out), incoming.packet, stream)


def split(data: bytes, stream: Stream) -> tuple[list[Incoming], bytes, int]:
    """Splits data into publications at QoS 0 and 1, the other packets as they came, and where the first incomplete packet begins.

    MQTT 3.1.1, 2.2 and 3.3. What is malformed is left to paho, which breaks the connection for it.
    """
    incoming, others, at, size = [], bytearray(), 0, len(data)
    body, end = _bounds(data, at)
    while end <= size:
        publication = _publication(data[at], data, body, end, stream) if data[at] & _PUBLISH_BITS == _PUBLISH else None
        if publication:
            incoming.append(publication)
        else:
            others += data[at:end]
        at = end
        body, end = _bounds(data, at)
    return incoming, bytes(others), at


def _bounds(data: bytes | bytearray, at: int) -> tuple[int, int]:
    """Says where the body of the packet at `at` begins, and where it ends: beyond all data if that is not known yet."""
    length = shift = 0
    try:
        while (byte := data[at + 1]) >= 0x80 and shift < 21:
            length |= (byte & 0x7F) << shift
            at, shift = at + 1, shift + 7
    except IndexError:
        return at, at + _MAX_PACKET_BYTES
    body = at + 2
    # A length of more than four bytes is malformed: nothing behind it has a meaning.
    return (body, body + length + (byte << shift)) if byte < 0x80 else (len(data), len(data))


def _publication(head: int, data: bytes, at: int, end: int, stream: Stream) -> Incoming | None:
    """Reads a publication, None if it is malformed."""
    if end - at < 2:
        return None
    topic = at + 2
    rest = topic + (data[at] << 8 | data[at + 1])
    payload = rest + 2 if head & _AT_LEAST_ONCE else rest
    if payload > end:
        return None
    message = MqttMessage(data[topic:rest].decode("utf-8", "replace"), data[payload:end], head & _DUP != 0, head & _RETAIN != 0)
    return Incoming(message, data[rest] << 8 | data[rest + 1] if payload > rest else 0, stream)
