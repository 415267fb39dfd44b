"""Packs messages together as bytes, as they came: so they cross from worker to worker as one element, their bodies compressed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from pipeline.elements import ReceivedMessage
from schemas.envelope import from_micros, micros

_Packed = list[tuple[dict[str, str], bytes, int]]
_DECODER: msgspec.msgpack.Decoder[_Packed] = msgspec.msgpack.Decoder(_Packed)


def pack(messages: Iterable[ReceivedMessage]) -> bytes:
    """Packs attributes, body and time of arrival of each."""
    return msgspec.msgpack.encode([(message.attributes, message.body, micros(message.received_time)) for message in messages])


def unpack(packed: bytes) -> Iterator[ReceivedMessage]:
    return (ReceivedMessage(attributes, body, from_micros(received)) for attributes, body, received in _DECODER.decode(packed))
