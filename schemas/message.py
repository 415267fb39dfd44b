"""Writes a batch as a Pub/Sub message, and reads one: attributes are what subscriptions filter by, the rest of the envelope is folded.

Folded, it stands before the body: a byte that begins no zstd frame, then FIELDS as integers of variable length (LEB128, zigzag as in
Protocol Buffers): some 30 bytes instead of the 200 of nine attributes. A message with all of them, from and for those who know nothing
else (batches of a version before FIRST_IN_COLUMNS) and in export files and archives, is as good; both say the same.

A signature stands before it all, after a byte of its own; where the envelope is not folded it is an attribute, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from schemas.envelope import Envelope, micros
from schemas.releases import FIRST_IN_COLUMNS, is_before
from schemas.signature import ATTRIBUTE, SIGNATURE_BYTES

MARK, SIGNED = b"\1", b"\2"
ROUTING = ("gateway_id", "kind")
"""Attributes that stay attributes."""
FIELDS = ("epoch", "seq", "major", "minor", "row_count", "raw_bytes", "priority", "cut_time", "time_min", "time_max")
"""What is folded, in order. `major` and `minor` are of the schema version, the last two microseconds since `cut_time`."""

_MOST_BYTES = 10
"""An integer of 64 bits has no more."""
_HALF = 2**63


def message_parts(envelope: Envelope, body: bytes, signature: bytes = b"") -> tuple[dict[str, str], bytes]:
    """Returns attributes and data of the message that carries the batch, as readers of its version understand it."""
    if is_before(envelope.schema_version, FIRST_IN_COLUMNS):
        return all_attributes(envelope, signature), body
    return folded(envelope, body, signature)


def all_attributes(envelope: Envelope, signature: bytes = b"") -> dict[str, str]:
    """Returns the attributes of a message with nothing folded in it, or of an entry of an export file."""
    return envelope.attributes() | ({ATTRIBUTE: signature.hex()} if signature else {})


def folded(envelope: Envelope, body: bytes, signature: bytes = b"") -> tuple[dict[str, str], bytes]:
    """Returns attributes and data of a message with the envelope folded before the body."""
    major, minor = map(int, envelope.schema_version.split("."))
    cut = micros(envelope.cut_time)
    since_cut = (micros(envelope.time_min) - cut, micros(envelope.time_max) - cut)
    numbers = (envelope.epoch, envelope.seq, major, minor, envelope.row_count, envelope.raw_bytes, envelope.priority, cut, *since_cut)
    attributes = envelope.attributes()
    before = SIGNED + signature if signature else MARK
    return {name: attributes[name] for name in ROUTING}, b"".join((before, *map(_varint, numbers), body))


def unfolded(attributes: Mapping[str, str], data: bytes) -> tuple[dict[str, str], bytes]:
    """Returns all attributes of an envelope, and the body; a message with nothing folded in it, or nothing sound, as it is."""
    if not data.startswith((MARK, SIGNED)):
        return dict(attributes), data
    start = len(SIGNED) + SIGNATURE_BYTES if data.startswith(SIGNED) else len(MARK)
    try:
        *numbers, at = _varints(data, start)
    except ValueError:
        return dict(attributes), data
    signature = {ATTRIBUTE: data[len(SIGNED) : start].hex()} if data.startswith(SIGNED) else {}
    epoch, seq, major, minor, row_count, raw_bytes, priority, cut, first, last = numbers
    texts = (epoch, seq, f"{major}.{minor}", row_count, raw_bytes, priority, cut, cut + first, cut + last)
    names = ("epoch", "seq", "schema_version", *FIELDS[4:])
    return {**dict(zip(names, map(str, texts), strict=True)), **signature, **attributes}, data[at:]


def _varint(value: int) -> bytes:
    zigzag = value << 1 if value >= 0 else ~(value << 1)
    written = bytearray()
    while zigzag > 0x7F:
        written.append(zigzag & 0x7F | 0x80)
        zigzag >>= 7
    written.append(zigzag)
    return bytes(written)


def _varints(data: bytes, at: int) -> Iterator[int]:
    """Yields the integers that begin there, then where they end. Raises ValueError."""
    for _ in FIELDS:
        zigzag, first, goes_on = 0, at, True
        while goes_on:
            if at >= len(data) or at == first + _MOST_BYTES:
                raise ValueError("an integer has no end")
            zigzag |= (data[at] & 0x7F) << 7 * (at - first)
            goes_on = data[at] >= 0x80
            at += 1
        yield zigzag >> 1 if zigzag & 1 == 0 else ~(zigzag >> 1)
    yield at
