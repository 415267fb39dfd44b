"""Reads JSON: one object `{"values": {channel: number}, "time": ..., "seq": ..., "boot": ..., "device": ...}`, or an array of such.

Each good item is read on its own. Nothing is guessed: what is not understood is rejected with its bytes. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from edge.intake.formats.format import Context, FormatSetup, reading_of
from edge.reading import PayloadError, Reading, Rejected, check_values
from schemas.intervals import SEQ_LIMIT

MAX_ITEMS = 10_000


class _Item(msgspec.Struct):
    values: dict[str, float]
    time: float | str | None = None
    seq: int | None = None
    boot: str | None = None
    device: str | None = None


class _Numbered(msgspec.Struct):
    seq: int | None = None
    device: str | None = None


_item = msgspec.json.Decoder(_Item)
_numbered = msgspec.json.Decoder(_Numbered)
_items = msgspec.json.Decoder(list[msgspec.Raw])


class JsonFormat:
    """Claims every payload, for it is the last format."""

    def __init__(self, setup: FormatSetup) -> None: ...

    def claims(self, payload: bytes) -> bool:
        return True

    def read(self, payload: bytes, context: Context) -> Iterator[Reading | Rejected]:
        try:
            items = _split(payload)
        except PayloadError as error:
            yield Rejected(error.reason, str(error), payload, context.device_id)
            return
        for item in items:
            try:
                yield _reading(item, context)
            except PayloadError as error:
                yield Rejected(error.reason, str(error), bytes(item), context.device_id, seq=_seq(item, context.device_id))


def _split(payload: bytes) -> list[bytes] | list[msgspec.Raw]:
    if payload[:1] == b"{" or payload.lstrip()[:1] != b"[":
        return [payload]
    try:
        items = _items.decode(payload)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise PayloadError("malformed_json", f"not valid JSON: {error}") from error
    if len(items) > MAX_ITEMS:
        raise PayloadError("oversized", f"{len(items)} readings in one message, more than {MAX_ITEMS}")
    return items


def _reading(body: bytes | msgspec.Raw, context: Context) -> Reading:
    item = _decoded(body)
    check_values(item.values)
    return reading_of(context, item, item.values)


def _decoded(body: bytes | msgspec.Raw) -> _Item:
    try:
        return _item.decode(body)
    except msgspec.ValidationError as error:
        raise PayloadError("wrong_type", f"not a reading: {error}") from error
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise PayloadError("malformed_json", f"not valid JSON: {error}") from error


def _seq(body: bytes | msgspec.Raw, device_id: str) -> int | None:
    """Returns the number of an item that is no reading, if it has one and is of this device."""
    try:
        item = _numbered.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None
    known = item.seq is not None and 0 <= item.seq < SEQ_LIMIT and item.device in (None, device_id)
    return item.seq if known else None
