"""Counts what a request to Pub/Sub takes on the line, as Google's client sends it in Protocol Buffers, with its headers and its token."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from edge.store.store import OutboxBatch
from edge.uplink.limits import Wire
from schemas.message import message_parts

HEADER_BYTES = 140
"""Headers and frames of HTTP/2 around a request, as `python -m bench uplink_bytes` measures them."""
TOKEN_BYTES = 750
"""A service account's token goes with every request: gRPC's header compression leaves it out. A federated identity's has some 300 more."""


def wire(topic: str, shard: str | None = None) -> Wire:
    """Returns what counts requests to this topic."""
    routing = {"shard": shard} if shard else {}
    return Wire(HEADER_BYTES + TOKEN_BYTES + _field(len(topic.encode())), partial(_message_bytes, routing))


def _message_bytes(routing: Mapping[str, str], batch: OutboxBatch) -> int:
    """Counts the bytes of a batch as a message of a PublishRequest."""
    attributes, data = message_parts(batch.envelope, batch.body, batch.signature)
    return _field(_field(len(data)) + sum(_attribute(*each) for each in {**attributes, **routing}.items()))


def _attribute(name: str, value: str) -> int:
    return _field(_field(len(name.encode())) + _field(len(value.encode())))


def _field(size: int) -> int:
    """Counts a field with so many bytes in it: tag, length, and the bytes."""
    return 1 + varint_bytes(size) + size


def varint_bytes(value: int) -> int:
    """Counts the bytes of an integer of variable length."""
    return max(1, -(-value.bit_length() // 7))
