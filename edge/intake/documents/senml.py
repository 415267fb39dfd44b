"""Decodes SenML (RFC 8428), in JSON or CBOR: records become readings with `device` (the base name), `time` and `values`. Pure.

Base name, time and value are resolved (4.1.1, 4.6); a time below 2^28 counts from the arrival (4.5.3). Records of one base name and
one time are one reading, or several where a name comes again. Text and data values stay what they are: no numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from edge.intake.documents.cbor import decoded
from edge.intake.documents.document import Document, Quantity
from edge.intake.documents.json_documents import json_documents
from edge.intake.documents.unwrap import unpacked, unwrapped
from edge.reading import PayloadError

MAX_RECORDS = 10_000
_RELATIVE = 1 << 28
_TEXT_LABELS = ["bn", "bt", "bu", "bv", "bs", "bver", "n", "u", "v", "vs", "vb", "s", "t", "ut", "vd"]
_LABELS = dict(zip((-2, -3, -4, -5, -6, -1, 0, 1, 2, 3, 4, 5, 6, 7, 8), _TEXT_LABELS, strict=True))
"""Numbers stand for names in CBOR (section 6)."""
_SEPARATORS = "/:._-"


def senml_documents(payload: bytes, arrived_us: int) -> list[Document]:
    records = _records(payload, arrived_us)
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise PayloadError("wrong_type", "SenML is a list of records")
    if len(records) > MAX_RECORDS:
        raise PayloadError("oversized", f"{len(records)} records in one message, more than {MAX_RECORDS}")
    readings: dict[tuple[str, float | None], list[dict[str, Any]]] = {}
    for device, time, name, value in _resolved(records, arrived_us / 1e6):
        reading = readings.setdefault((device, time), [{}])
        if name in reading[-1]:
            reading.append({})
        reading[-1][name] = value
    return [
        Document([{"device": device, "time": time, "values": each} for (device, time), all_ in readings.items() for each in all_], payload)
    ]


def _records(payload: bytes, arrived_us: int) -> Any:
    body = unwrapped(payload)
    if body.lstrip()[:1] in {b"[", b"{"}:
        return json_documents(body, arrived_us)[0].content
    records = decoded(unpacked(payload), text_keys=False)
    if isinstance(records, list):
        return [{_LABELS.get(key, key): value for key, value in each.items()} if isinstance(each, Mapping) else each for each in records]
    return records


def _resolved(records: list[dict[str, Any]], arrived: float) -> Iterator[tuple[str, float | None, str, Any]]:
    """Yields device, time (None: on arrival), channel and value of each record that has a value."""
    base: dict[str, Any] = {}
    for record in records:
        base |= {key: value for key, value in record.items() if key in {"bn", "bt", "bv", "bu"}}
        names = [text for text in (base.get("bn"), record.get("n")) if isinstance(text, str)]
        value = _value(record, base)
        if value is not msgspec.UNSET:
            device, name = _named(*names)
            unit = record.get("u", base.get("bu"))
            value = Quantity(value, unit) if isinstance(unit, str) else value
            yield device, _time(base.get("bt", 0), record.get("t", 0), arrived), name, value


def _named(base: str = "", name: str = "") -> tuple[str, str]:
    """Splits into device and channel: base name and name, or the parts of the one that there is at its last separator."""
    if name:
        return base.rstrip(_SEPARATORS), name
    at = max((base.rfind(separator) for separator in "/:"), default=-1)
    return base[: max(at, 0)].rstrip(_SEPARATORS), base[at + 1 :]


def _value(record: dict[str, Any], base: dict[str, Any]) -> Any:
    if isinstance(record.get("v"), int | float):
        offset = base.get("bv", 0)
        return record["v"] + offset if isinstance(offset, int | float) else None
    for key in ("v", "vb", "vs", "vd"):
        if key in record:
            return record[key]
    return msgspec.UNSET


def _time(base: Any, time: Any, arrived: float) -> float | None:
    if not isinstance(base, int | float) or not isinstance(time, int | float):
        raise PayloadError("wrong_type", f"SenML's time {base!r} + {time!r} is no number")
    at = float(base) + float(time)
    if at == 0:
        return None
    return arrived + at if abs(at) < _RELATIVE else at
