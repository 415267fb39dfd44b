import random

from hypothesis import given
from hypothesis import strategies as st

from lab.witness.tap import Packets, Publication, Tap

TOPIC = "north/sensors/soil-01/readings"


def _length(size: int) -> bytes:
    out = b""
    while True:
        size, rest = divmod(size, 128)
        out += bytes([rest | (0x80 if size else 0)])
        if not size:
            return out


def _packet(head: int, body: bytes) -> bytes:
    return bytes([head]) + _length(len(body)) + body


def _publish(identifier: int, payload: bytes, qos: int = 1) -> bytes:
    number = identifier.to_bytes(2, "big") if qos else b""
    return _packet(0x30 | qos << 1, len(TOPIC).to_bytes(2, "big") + TOPIC.encode() + number + payload)


def _puback(identifier: int) -> bytes:
    return _packet(0x40, identifier.to_bytes(2, "big"))


def test_a_publication_counts_when_the_gateway_acknowledges_it() -> None:
    tap = Tap()
    connection = tap.connection()
    connection.received(_publish(7, b"one") + _publish(8, b"two"))
    assert tap.acknowledged() == []
    connection.sent(_puback(8))
    assert tap.acknowledged() == [Publication(TOPIC, b"two")]


def test_an_acknowledgement_of_another_connection_means_nothing() -> None:
    tap = Tap()
    tap.connection().received(_publish(7, b"one"))
    tap.connection().sent(_puback(7))
    assert tap.acknowledged() == []


def test_an_identifier_that_is_reused_names_the_newer_publication() -> None:
    tap = Tap()
    connection = tap.connection()
    for payload in (b"one", b"two"):
        connection.received(_publish(1, payload))
        connection.sent(_puback(1))
    assert [publication.payload for publication in tap.acknowledged()] == [b"one", b"two"]


def test_what_needs_no_acknowledgement_is_not_counted() -> None:
    tap = Tap()
    connection = tap.connection()
    connection.received(_publish(0, b"most once", qos=0))
    connection.sent(_packet(0xC0, b"") + _puback(0))
    assert tap.acknowledged() == []


@given(st.lists(st.binary(max_size=400), max_size=8), st.randoms(use_true_random=False))
def test_packets_are_the_same_however_the_bytes_are_cut(bodies: list[bytes], chance: random.Random) -> None:
    stream, packets, found = b"".join(_packet(0x32, body) for body in bodies), Packets(), []
    while stream:
        size = chance.randint(1, len(stream))
        found += [body for _, _, body in packets.feed(stream[:size])]
        stream = stream[size:]
    assert found == bodies
