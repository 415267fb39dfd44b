"""A notification is read as it was written, whatever the alert; what is none is refused with a reason and at a bounded price."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.notification import MAX_BYTES, NotificationError, encode, parse
from schemas.records import Alert, AlertChange, Severity

NOW = datetime(2026, 5, 1, 12, 0, 0, 123, tzinfo=UTC)
ALERT = Alert(
    alert_id="dry:d1:1",
    rule="dry",
    source="event",
    subject="d1",
    site_id="north",
    device_id="d1",
    severity="warning",
    state="opened",
    opened_time=NOW,
    event_time=NOW,
    value=0.1,
    threshold=0.15,
    message="Größe",
    historical=False,
    revision=0,
    as_of=NOW,
)

TEXTS = st.text(st.characters(exclude_categories=("C", "Z")), max_size=50)
NUMBERS = st.none() | st.floats(allow_nan=False, allow_infinity=False)
TIMES = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001
ALERTS = st.builds(
    Alert,
    alert_id=TEXTS,
    rule=TEXTS,
    source=TEXTS,
    subject=TEXTS,
    site_id=st.none() | TEXTS,
    device_id=st.none() | TEXTS,
    severity=st.sampled_from(list(Severity)),
    state=st.sampled_from(list(AlertChange)),
    opened_time=TIMES,
    event_time=TIMES,
    value=NUMBERS,
    threshold=NUMBERS,
    message=TEXTS,
    historical=st.booleans(),
    revision=st.integers(0, 2**63 - 1),
    as_of=TIMES,
)


@given(ALERTS)
def test_it_round_trips(alert: Alert) -> None:
    attributes, body = encode(alert)
    assert parse(body) == alert
    assert attributes == {
        "alert_id": alert.alert_id,
        "revision": str(alert.revision),
        "state": alert.state,
        "severity": alert.severity,
        "rule": alert.rule,
    }


def test_what_a_newer_version_adds_is_ignored() -> None:
    assert parse(json.dumps(json.loads(encode(ALERT)[1]) | {"colour": "red"}).encode()) == ALERT


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("alert_id", None, "alert_id is missing"),
        ("alert_id", 5, "alert_id must be one line of text"),
        ("message", "two\nlines", "message must be one line of text"),
        ("message", "x" * 2001, "message must be one line of text"),
        ("revision", -1, "revision must be a whole number from 0"),
        ("revision", True, "revision must be a whole number from 0"),
        ("revision", 2**63, "revision must be a whole number from 0"),
        ("value", float("nan"), "value must be a finite number"),
        ("value", 10**400, "value must be a finite number"),
        ("as_of", "0001-01-01T00:00:00+23:00", "as_of must be a time"),
        ("value", "0.1", "value must be a finite number"),
        ("historical", 1, "historical must be true or false"),
        ("as_of", "2026-05-01T12:00:00", "as_of must say its offset from UTC"),
        ("as_of", "yesterday", "as_of must be a time"),
        ("as_of", 5, "as_of must be a time"),
        ("state", "closed", "state 'closed'"),
        ("severity", "page", "severity"),
    ],
)
def test_what_is_wrong_is_named(name: str, value: Any, reason: str) -> None:
    with pytest.raises(NotificationError, match=reason):
        parse(json.dumps(json.loads(encode(ALERT)[1]) | {name: value}).encode())


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"\xff\xfe", b"[" * 60_000, b'{"a":' * 10_000, b"1" * 60_000, b"{}"])
def test_what_is_no_notification_at_all_is_refused(body: bytes) -> None:
    with pytest.raises(NotificationError):
        parse(body)


def test_what_is_too_large_is_refused_before_it_is_read() -> None:
    padded = encode(replace(ALERT, value=None))[1] + b" " * MAX_BYTES
    with pytest.raises(NotificationError, match="at most 65536 are taken"):
        parse(padded)


@given(st.binary(max_size=200) | st.integers(0, len(encode(ALERT)[1]) - 1).map(lambda cut: encode(ALERT)[1][:cut]))
def test_garbage_and_torn_notifications_are_refused(body: bytes) -> None:
    with pytest.raises(NotificationError):
        parse(body)


@given(st.integers(0, len(encode(ALERT)[1]) * 8 - 1))
def test_a_flipped_bit_gives_a_notification_or_an_error(bit: int) -> None:
    body = bytearray(encode(ALERT)[1])
    body[bit // 8] ^= 1 << bit % 8
    try:
        assert isinstance(parse(bytes(body)), Alert)
    except NotificationError:
        return
