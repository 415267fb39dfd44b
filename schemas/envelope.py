"""Reads and writes a batch's envelope: its name and attributes, as Pub/Sub attributes and as entries of an export file.

The envelope is written once when the batch is cut and never changes; `Envelope.parse` accepts nothing else.
An export file (an offline gateway's export, or a file of the archive) is a sequence of entries: `TBB1`, u32 length of the attributes
(JSON), u32 length of the body, u32 CRC-32 of both, attributes, body; integers little-endian.
"""

from __future__ import annotations

import json
import re
import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import BinaryIO

import msgspec

from schemas.records import KINDS, SCHEMA_VERSION

MAX_BODY_BYTES = 8_000_000
"""A body larger than this is refused before it is read further."""
MAX_RAW_BYTES = 32_000_000
"""A body that declares more than this when decompressed is refused before decompression."""
MAX_ROWS = 100_000
MAX_MESSAGE_BYTES = 10_000_000
"""Pub/Sub carries no larger message, so no larger body can be in an archive."""
MAX_EXPORT_BYTES = 256_000_000
"""An export file larger than this is refused; the gateway writes them far smaller."""

ID_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
"""What a gateway, device or site identifier looks like."""

_MAGIC = b"TBB1"
_HEAD = struct.Struct("<4sIII")
_MAX_ATTRIBUTES = 1_000_000
"""More than any attributes that Pub/Sub carries, written as JSON: an archive keeps messages that are no batches, too."""
_ATTRIBUTES: msgspec.json.Decoder[dict[str, str]] = msgspec.json.Decoder(dict[str, str])
_MOST_IN_VAIN = 4
"""Times the bytes of a file that may be looked at in vain: whoever writes one may let each of its bytes claim to begin a large entry."""
_LOOK_BYTES = 1000
"""What a look in vain counts for at least."""
_EPOCH_START = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_KIND_PATTERN = re.compile("|".join(KINDS))
_VERSION_PATTERN = re.compile(r"[0-9]{1,4}\.[0-9]{1,4}")
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,18})")
_ANY_TIME = (-(2**63), 2**63 - 1)
LIMITS = {
    "epoch": (0, 2**63 - 1),
    "seq": (1, 2**63 - 1),
    "row_count": (1, MAX_ROWS),
    "raw_bytes": (1, MAX_RAW_BYTES),
    "priority": (0, 9),
    "cut_time": _ANY_TIME,
    "time_min": _ANY_TIME,
    "time_max": _ANY_TIME,
}
"""Integers among the attributes, each with the smallest and the largest that may be."""
_PATTERNS = {"gateway_id": ID_PATTERN, "kind": _KIND_PATTERN, "schema_version": _VERSION_PATTERN} | dict.fromkeys(LIMITS, _INTEGER)


class EnvelopeError(ValueError):
    """The attributes or the entry are not those of a batch; the text says which and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """Names and describes a batch: `Envelope.parse(attributes).batch_id`. Times are UTC, sizes bytes."""

    gateway_id: str
    epoch: int
    seq: int
    kind: str
    row_count: int
    raw_bytes: int
    priority: int
    cut_time: datetime
    time_min: datetime
    time_max: datetime
    schema_version: str = SCHEMA_VERSION

    @property
    def batch_id(self) -> str:
        return f"{self.gateway_id}:{self.epoch}:{self.seq}"

    def attributes(self) -> dict[str, str]:
        """Returns the Pub/Sub attributes: all strings, times in microseconds since 1970."""
        return {
            "gateway_id": self.gateway_id,
            "epoch": str(self.epoch),
            "seq": str(self.seq),
            "kind": self.kind,
            "schema_version": self.schema_version,
            "row_count": str(self.row_count),
            "raw_bytes": str(self.raw_bytes),
            "priority": str(self.priority),
            "cut_time": str(micros(self.cut_time)),
            "time_min": str(micros(self.time_min)),
            "time_max": str(micros(self.time_max)),
        }

    @classmethod
    def parse(cls, attributes: Mapping[str, str]) -> Envelope:
        """Reads attributes; unknown ones are ignored. Raises EnvelopeError for a missing, malformed or out-of-range one."""
        texts = {name: _text(attributes, name, pattern) for name, pattern in _PATTERNS.items()}
        numbers = {name: _within(name, int(texts[name]), *LIMITS[name]) for name in LIMITS}
        envelope = cls(
            gateway_id=texts["gateway_id"],
            kind=texts["kind"],
            schema_version=texts["schema_version"],
            cut_time=_time("cut_time", numbers.pop("cut_time")),
            time_min=_time("time_min", numbers.pop("time_min")),
            time_max=_time("time_max", numbers.pop("time_max")),
            **numbers,
        )
        if envelope.time_min > envelope.time_max:
            raise EnvelopeError("time_min is after time_max")
        if not is_readable(envelope.schema_version):
            raise EnvelopeError(f"schema_version {envelope.schema_version} is of another major version than {SCHEMA_VERSION}")
        return envelope


def is_readable(schema_version: str) -> bool:
    """Tells whether batches of that version are of this major version."""
    return schema_version.split(".", maxsplit=1)[0] == SCHEMA_VERSION.split(".")[0]


def time_of(attributes: Mapping[str, str], name: str) -> datetime:
    """Returns the time of one attribute, whatever the others say. Raises EnvelopeError."""
    return _time(name, _within(name, int(_text(attributes, name, _INTEGER)), *_ANY_TIME))


def micros(time: datetime) -> int:
    """Returns the microseconds since 1970 of a UTC time, exactly."""
    return (time - _EPOCH_START) // _MICROSECOND


def from_micros(value: int) -> datetime:
    """Returns the UTC time of so many microseconds since 1970. Raises OverflowError outside the years 1 to 9999."""
    return _EPOCH_START + timedelta(microseconds=value)


def entry(attributes: Mapping[str, str], body: bytes) -> bytes:
    """Returns a batch as one entry of an export file."""
    head = json.dumps(dict(attributes), separators=(",", ":")).encode()
    return _HEAD.pack(_MAGIC, len(head), len(body), zlib.crc32(body, zlib.crc32(head))) + head + body


def entries(file: BinaryIO) -> Iterator[tuple[dict[str, str], bytes] | bytes]:
    """Yields the entries of an export file in order. What is not a whole, sound entry comes as bytes, and the next sound entry follows.

    The work is in proportion to the file: where far too much of it only claims to be entries, the rest comes as bytes.
    Raises EnvelopeError for a file over MAX_EXPORT_BYTES.
    """
    content = file.read(MAX_EXPORT_BYTES + 1)
    if len(content) > MAX_EXPORT_BYTES:
        raise EnvelopeError(f"the file is larger than {MAX_EXPORT_BYTES} bytes")
    at = broken_from = in_vain = 0
    while at < len(content) and in_vain <= _MOST_IN_VAIN * len(content) + MAX_MESSAGE_BYTES:
        sound = _entry(content, at)
        if sound is None:
            in_vain += _looked_at(content, at)
            at = _next_magic(content, at + 1)
            continue
        yield from _pieces(content[broken_from:at])
        attributes, body, at = sound
        broken_from = at
        yield attributes, body
    yield from _pieces(content[broken_from:])


def _claimed(content: bytes, at: int) -> tuple[int, int, int] | None:
    """Returns where the attributes and the body of an entry end by its head, and its checksum; None if no entry can be so."""
    if len(content) < at + _HEAD.size:
        return None
    magic, attribute_bytes, body_bytes, crc = _HEAD.unpack_from(content, at)
    middle = at + _HEAD.size + attribute_bytes
    end = middle + body_bytes
    if magic != _MAGIC or attribute_bytes > _MAX_ATTRIBUTES or body_bytes > MAX_MESSAGE_BYTES or end > len(content):
        return None
    return middle, end, crc


def _looked_at(content: bytes, at: int) -> int:
    """Returns what a look at what is no sound entry counts for."""
    claimed = _claimed(content, at)
    return max(claimed[1] - at if claimed else 0, _LOOK_BYTES)


def _entry(content: bytes, at: int) -> tuple[dict[str, str], bytes, int] | None:
    """Returns attributes, body and end of the entry that begins at `at`; None if it is not sound."""
    claimed = _claimed(content, at)
    if claimed is None:
        return None
    middle, end, crc = claimed
    if zlib.crc32(memoryview(content)[at + _HEAD.size : end]) != crc:
        return None
    try:
        attributes = _ATTRIBUTES.decode(content[at + _HEAD.size : middle])
    except (msgspec.MsgspecError, ValueError):
        return None
    return attributes, content[middle:end], end


def _next_magic(content: bytes, at: int) -> int:
    position = content.find(_MAGIC, at)
    return len(content) if position < 0 else position


def _pieces(broken: bytes) -> Iterator[bytes]:
    """Cuts bytes into pieces that one reject row can hold."""
    return (broken[at : at + MAX_BODY_BYTES] for at in range(0, len(broken), MAX_BODY_BYTES))


def _text(attributes: Mapping[str, str], name: str, pattern: re.Pattern[str]) -> str:
    if name not in attributes:
        raise EnvelopeError(f"attribute {name} is missing")
    if not pattern.fullmatch(attributes[name]):
        raise EnvelopeError(f"attribute {name} is malformed: {attributes[name][:80]!r}")
    return attributes[name]


def is_of_form(name: str, text: str) -> bool:
    """Tells whether the text may be the attribute of that name, if it is within its limits."""
    return _PATTERNS[name].fullmatch(text) is not None


def _within(name: str, value: int, low: int, high: int) -> int:
    if not low <= value <= high:
        raise EnvelopeError(f"attribute {name} is outside {low} to {high}: {value}")
    return value


def _time(name: str, value: int) -> datetime:
    try:
        return from_micros(value)
    except OverflowError as error:
        raise EnvelopeError(f"attribute {name} is not a time between the years 1 and 9999") from error
