"""Packs messages together as bytes, as they came: so they cross from worker to worker as one element, their bodies compressed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from pipeline.elements import ReceivedMessage
from schemas.envelope import from_micros, micros


class _Packed(msgspec.Struct, array_like=True, frozen=True):
    """Is how a message is packed. Parcels that an earlier version packed end with the time of arrival."""

    attributes: dict[str, str]
    body: bytes
    received: int
    ack_id: str = ""


_DECODER: msgspec.msgpack.Decoder[list[_Packed]] = msgspec.msgpack.Decoder(list[_Packed])


def pack(messages: Iterable[ReceivedMessage]) -> bytes:
    """Packs attributes, body and time of arrival of each, and the id by which it is acknowledged."""
    return msgspec.msgpack.encode([(each.attributes, each.body, micros(each.received_time), each.ack_id) for each in messages])


def unpack(packed: bytes) -> Iterator[ReceivedMessage]:
    return (ReceivedMessage(each.attributes, each.body, from_micros(each.received), each.ack_id) for each in _DECODER.decode(packed))
