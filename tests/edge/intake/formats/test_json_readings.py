"""JSON readings: every good item is read, every other is rejected with its own bytes and a fixed word."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.intake.rejects import reject_row
from edge.reading import Reading, Rejected, dedup_key
from schemas.envelope import micros
from tests.edge import payloads
from tests.edge.gateways import START


def read(payload: bytes | dict[str, Any] | list[Any]) -> list[Reading | Rejected]:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return payloads.read(body)


def test_a_whole_reading_is_read() -> None:
    (reading,) = read({"time": "2026-05-01T11:59:59.5Z", "seq": 4, "boot": "b", "values": {"moisture": 0.25}})
    assert reading == Reading("d1", micros(START) - 500_000, micros(START), "synced", "b", 4, True, {"moisture": 0.25})


def test_a_number_is_seconds_since_1970_and_no_time_is_the_time_of_arrival() -> None:
    first, second = read([{"time": START.timestamp() - 1, "values": {"a": 1}}, {"values": {"a": 1}}])
    assert isinstance(first, Reading)
    assert isinstance(second, Reading)
    assert (micros(START) - first.event_us, micros(START) - second.event_us) == (1_000_000, 0)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "malformed_json"),
        (b"{", "malformed_json"),
        (b"\xff\xfe", "malformed_json"),
        (b'{"values":{"a":NaN}}', "not_finite"),
        (b'{"values":{"a":1e999}}', "not_finite"),
        (b"[" * 50_000, "malformed_json"),
        (b"7", "wrong_type"),
        (b'{"values":{"a":"wet"}}', "wrong_type"),
        (b'{"values":{"a":true}}', "wrong_type"),
        (b'{"values":{"a b":1}}', "wrong_type"),
        (b'{"seq":1}', "wrong_type"),
        (b'{"seq":-1,"values":{"a":1}}', "wrong_type"),
        (b'{"seq":99999999999999999999999,"values":{"a":1}}', "wrong_type"),
        (b'{"boot":"a b","values":{"a":1}}', "wrong_type"),
        (b'{"time":"yesterday","values":{"a":1}}', "wrong_type"),
        (b'{"time":"2026-05-01T12:00:00","values":{"a":1}}', "wrong_type"),
        (b'{"time":1e300,"values":{"a":1}}', "time_future"),
        (b'{"values":{}}', "no_values"),
        (b'{"values":{"a":1e16}}', "not_finite"),
        (b'{"values":{"a":-1e16}}', "not_finite"),
        (b'{"device":"d2","values":{"a":1}}', "bad_device"),
        (b'{"time":"2026-05-01T12:05:01Z","values":{"a":1}}', "time_future"),
        (b'{"time":12.5,"values":{"a":1}}', "time_past"),
        (json.dumps({"values": {f"c{n}": 1 for n in range(65)}}).encode(), "oversized"),
        (json.dumps([1] * 10_001).encode(), "oversized"),
    ],
)
def test_what_is_no_reading_is_rejected_with_its_bytes(payload: bytes, reason: str) -> None:
    (rejected,) = read(payload)
    assert isinstance(rejected, Rejected)
    assert (rejected.reason, rejected.body, rejected.device_id) == (reason, payload, "d1")


def test_a_time_without_an_offset_is_rejected_with_the_cure() -> None:
    (rejected,) = read({"time": "2026-05-01T12:00:00", "values": {"a": 1}})
    assert isinstance(rejected, Rejected)
    cure = "write Z for UTC, or declare the zone that it is in, zone in [sensors.payload]"
    assert rejected.message == f"time '2026-05-01T12:00:00' has no offset: {cure}"


@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
def test_no_bytes_raise_anything(payload: bytes) -> None:
    for result in read(payload):
        assert isinstance(result, Reading | Rejected)


_ITEMS = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(st.lists(_ITEMS, min_size=1, max_size=5))
def test_each_item_of_an_array_is_read_or_rejected_by_itself(items: list[Any]) -> None:
    good = {"seq": 1, "values": {"a": 1}}
    results = payloads.read(json.dumps([good, *items, good], allow_nan=False, default=str).encode()) if _finite(items) else []
    if results:
        assert len(results) == len(items) + 2
        assert isinstance(results[0], Reading)
        assert isinstance(results[-1], Reading)


def _finite(items: Any) -> bool:
    try:
        json.dumps(items, allow_nan=False)
    except ValueError:
        return False
    return True


def test_a_dedup_key_is_of_device_boot_seq_time_and_values() -> None:
    base = {"time": START.timestamp(), "seq": 1, "boot": "b", "values": {"a": 1.0}}
    others = [{**base, **changed} for changed in ({"time": START.timestamp() - 1}, {"seq": 2}, {"boot": "c"}, {"values": {"a": 2.0}})]
    keys = {dedup_key(reading) for item in (base, base, *others) for reading in read(item) if isinstance(reading, Reading)}
    assert len(keys) == 5
    assert None not in keys


def test_a_reading_without_seq_and_time_has_no_dedup_key() -> None:
    (reading,) = read({"values": {"a": 1}})
    assert isinstance(reading, Reading)
    assert dedup_key(reading) is None


@pytest.mark.parametrize(
    ("payload", "seq"),
    [
        (b'{"seq":7,"values":{"a":"wet"}}', 7),
        (b'{"seq":7,"time":12.5,"values":{"a":1}}', 7),
        (b'{"seq":7,"device":"d1","values":{}}', 7),
        (b'{"seq":7,"device":"d2","values":{"a":1}}', None),
        (b'{"seq":-1,"values":{"a":1}}', None),
        (b'{"seq":"7","values":{"a":1}}', None),
        (b'{"values":{}}', None),
        (b'{"seq":7', None),
    ],
)
def test_a_reading_that_is_refused_keeps_its_number_where_it_can_be_read(payload: bytes, seq: int | None) -> None:
    (rejected,) = read(payload)
    assert isinstance(rejected, Rejected)
    assert rejected.seq == seq
    assert reject_row(rejected, START).seq == seq
