"""The broker's bytes: publications are taken out whole and in order, paho gets the rest to the byte, acknowledgements leave whole."""

from __future__ import annotations

import socket
import struct
import tracemalloc
from collections.abc import Iterator
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.intake.inbox import MqttMessage
from edge.intake.stream import Incoming, Stream
from lab.witness.tap import Packets

PINGRESP = b"\xd0\0"


def packet(head: int, body: bytes) -> bytes:
    size, length = len(body), bytearray()
    while True:
        size, low = divmod(size, 128)
        length.append(low | (0x80 if size else 0))
        if not size:
            return bytes([head, *length]) + body


def publication(topic: str, payload: bytes, qos: int, number: int, *, dup: bool = False) -> bytes:
    name = topic.encode()
    identifier = struct.pack(">H", number) if qos else b""
    return packet(0x30 | qos << 1 | dup << 3, struct.pack(">H", len(name)) + name + identifier + payload)


class Ends:
    """A stream and its broker's end."""

    def __init__(self) -> None:
        ours, self.broker = socket.socketpair()
        self.incoming: list[Incoming] = []
        self.stream = Stream(ours, self.incoming.extend)
        self.stream.setblocking(False)
        self.broker.setblocking(False)

    def read(self, size: int = 3) -> bytes:
        """As paho does, until there is nothing."""
        read = bytearray()
        try:
            while part := self.stream.recv(size):
                read += part
        except BlockingIOError:
            assert self.stream.pending() == 0
        return bytes(read)

    def heard(self) -> bytes:
        """By the broker."""
        heard = bytearray()
        try:
            while part := self.broker.recv(1 << 16):
                heard += part
        except BlockingIOError:
            pass
        return bytes(heard)

    def close(self) -> None:
        self.stream.close()
        self.broker.close()


@pytest.fixture
def ends() -> Iterator[Ends]:
    made = Ends()
    yield made
    made.close()


PUBLICATIONS = st.builds(
    lambda topic, payload, qos, number, dup: (
        publication(topic, payload, qos, number, dup=dup),
        MqttMessage(topic, payload, dup),
        number if qos else 0,
    ),
    st.text(min_size=1, max_size=40).filter(lambda topic: "\0" not in topic),
    st.one_of(st.binary(max_size=200), st.integers(100, 20_000).map(bytes)),
    st.integers(0, 1),
    st.integers(1, 65535),
    st.booleans(),
)
OTHERS = st.sampled_from([b"\x20\2\0\0", b"\x90\3\0\1\1", b"\x40\2\0\7", PINGRESP, publication("twice", b"x", 2, 9)])


@given(st.lists(st.one_of(PUBLICATIONS, OTHERS), max_size=20), st.data())
def test_however_the_bytes_are_cut_each_publication_is_delivered_and_paho_gets_the_rest(sent: list, data: st.DataObject) -> None:
    whole = b"".join(one if isinstance(one, bytes) else one[0] for one in sent)
    for_paho = b""
    with closing(Ends()) as ends:
        while whole:
            size = data.draw(st.integers(1, len(whole)))
            ends.broker.sendall(whole[:size])
            for_paho += ends.read()
            whole = whole[size:]
    assert [(one.message, one.packet) for one in ends.incoming] == [one[1:] for one in sent if not isinstance(one, bytes)]
    kinds = [one for one in Packets().feed(for_paho) if one != (0xD, 0, b"")]
    assert kinds == [one for one in Packets().feed(b"".join(one for one in sent if isinstance(one, bytes))) if one != (0xD, 0, b"")]


def test_publications_are_a_sign_of_life_for_paho(ends: Ends) -> None:
    ends.broker.sendall(publication("t", b"1", 1, 1) + publication("t", b"2", 1, 2))
    assert ends.read() == PINGRESP


def test_paho_gets_a_sign_of_life_once_in_a_while_and_not_with_each_publication(ends: Ends) -> None:
    for now in (10.0, 10.1, 11.9, 12.0, 13.9, 14.0):
        ends.stream._give_sign(now)
    assert ends.stream._for_paho == 3 * PINGRESP


@pytest.mark.parametrize(
    "malformed",
    [b"\x30\xff\xff\xff\xff\x01", packet(0x32, b"\0\5top"), packet(0x32, b"\0\3top"), packet(0x32, b""), packet(0x30, b"\0")],
    ids=["length of five bytes", "topic beyond the end", "no identifier", "nothing", "half a length"],
)
def test_what_is_malformed_is_left_to_paho(ends: Ends, malformed: bytes) -> None:
    ends.broker.sendall(malformed)
    assert (ends.read(), ends.incoming) == (malformed, [])


def test_a_topic_that_is_no_text_is_delivered_all_the_same(ends: Ends) -> None:
    ends.broker.sendall(packet(0x32, b"\0\1\xff\0\1x"))
    ends.read()
    assert [(one.message.topic, one.packet) for one in ends.incoming] == [("�", 1)]


def test_the_end_of_the_connection_is_told(ends: Ends) -> None:
    ends.broker.close()
    assert ends.stream.recv(1) == b""


def test_packets_leave_whole_and_in_order_though_the_broker_does_not_read(ends: Ends) -> None:
    expected = b""
    for number in range(1, 400):
        ends.stream.acknowledge(range(1, 1001))
        ends.stream.send(publication("status", b"online", 1, number))
        expected += b"".join(b"\x40\2" + struct.pack(">H", one) for one in range(1, 1001)) + publication("status", b"online", 1, number)
    heard = ends.heard()
    assert len(heard) < len(expected)
    while len(heard) < len(expected):
        ends.stream.send(b"")
        heard += ends.heard()
    assert heard == expected


def test_an_acknowledgement_after_the_end_is_no_error(ends: Ends) -> None:
    ends.stream.close()
    ends.stream.acknowledge([1, 2])
    assert ends.heard() == b""


def test_a_publication_of_any_size_streams_by_in_bounded_memory_and_the_next_is_whole(ends: Ends) -> None:
    """Case 26: one of 200 MB took 662 MB of memory."""
    size, chunk = 50_000_000, bytes(1 << 16)
    head = publication("sensors/d1/readings", b"", 1, 7)[2:]  # topic and identifier
    length = bytearray()
    rest = len(head) + size
    while rest:
        rest, low = divmod(rest, 128)
        length.append(low | (0x80 if rest else 0))
    tracemalloc.start()
    ends.broker.sendall(bytes([0x32, *length]) + head)
    for _ in range(size // len(chunk)):
        ends.broker.sendall(chunk)
        ends.read(1 << 16)
    ends.broker.sendall(bytes(size % len(chunk)) + publication("sensors/d2/readings", b"small", 1, 8))
    ends.read()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    large, small = ends.incoming
    assert (large.message.topic, large.packet, len(large.message.payload) + large.message.left_out) == ("sensors/d1/readings", 7, size)
    assert (small.message, small.packet) == (MqttMessage("sensors/d2/readings", b"small"), 8)
    assert peak < 10_000_000
