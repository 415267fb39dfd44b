"""Reads JSON: one object `{"values": {channel: number}, "time": ..., "seq": ..., "boot": ..., "device": ...}`, or an array of such.

Each good item is read on its own. Nothing is guessed: what is not understood is rejected with its bytes. A sound message is read in one
step; one with a flaw is read once more, value by value, so that a null costs no neighbour. Pure.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from edge.intake.documents.json_documents import json_documents
from edge.intake.formats.fault import or_fault
from edge.intake.formats.format import Context, FormatSetup, reading_of
from edge.intake.mapping.item import MAX_ITEMS
from edge.intake.mapping.message_map import MessageMap
from edge.intake.mapping.times import time_path, undeclared
from edge.reading import PayloadError, Reading, Rejected, check_values
from edge.settings.sensors import Sensors
from edge.units import Range


class _Item(msgspec.Struct):
    values: dict[str, float]
    time: float | str | None = None
    seq: int | None = None
    boot: str | None = None
    device: str | None = None


_item = msgspec.json.Decoder(_Item)
_keys = msgspec.json.Decoder(dict[str, Any])
_items = msgspec.json.Decoder(list[msgspec.Raw])


Bounds = tuple[tuple[str, float, float], ...]
"""Channels with the least and the greatest value that each can have: plain, for each message is held against them."""


class JsonFormat:
    """Claims every payload, for it is the last format."""

    def __init__(self, setup: FormatSetup) -> None:
        classes = setup.config.sensors
        self._bounds = {sensors.name: _bounds(sensors, setup.ranges(sensors)) for sensors in classes}
        self._maps = {sensors.name: MessageMap(sensors, setup.ranges(sensors)) for sensors in classes if not sensors.payload}

    def claims(self, payload: bytes) -> bool:
        return True

    def read(self, payload: bytes, context: Context) -> Iterator[Reading | Rejected]:
        bounds = self._bounds[context.sensors.name]
        try:
            parts = _split(payload)
        except PayloadError:
            yield from self._carefully(payload, context)
            return
        for item in parts:
            try:
                yield _reading(item, context, bounds)
            except PayloadError:
                yield from self._carefully(bytes(item), context, is_item=isinstance(item, msgspec.Raw))

    def _carefully(self, payload: bytes, context: Context, *, is_item: bool = False) -> Iterator[Reading | Rejected]:
        """Yields what is good of a message that has a flaw, and the flaw."""
        try:
            documents = json_documents(payload, context.arrived_us)
        except PayloadError as error:
            yield Rejected(error.reason, str(error), payload, context.device_id)
            return
        message_map = self._maps[context.sensors.name]
        for document in documents:
            results = message_map.read_item(document, context) if is_item else message_map.read(document, context)
            yield from or_fault(results, document.body, context)


def _bounds(sensors: Sensors, ranges: Mapping[str, Range]) -> Bounds:
    """Returns those of the ranges. What a channel of another kind means is read value by value: no plain number is within its bounds."""
    by_value = [(channel, math.inf, -math.inf) for channel, kind in sensors.kinds.items() if not kind.IS_NUMBER]
    return (*by_value, *((channel, valid.low, valid.high) for channel, valid in ranges.items()))


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


def _reading(body: bytes | msgspec.Raw, context: Context, bounds: Bounds) -> Reading:
    item = _decoded(body)
    check_values(item.values)
    values = item.values
    for channel, low, high in bounds:
        if channel in values and not low <= (value := values[channel]) <= high:
            raise PayloadError("out_of_range", f"{channel} is {value}")
    if item.time is None and (path := time_path(_keys.decode(body))):
        raise undeclared(path)
    return reading_of(context, item, item.values)


def _decoded(body: bytes | msgspec.Raw) -> _Item:
    try:
        return _item.decode(body)
    except msgspec.ValidationError as error:
        raise PayloadError("wrong_type", f"not a reading: {error}") from error
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise PayloadError("malformed_json", f"not valid JSON: {error}") from error
