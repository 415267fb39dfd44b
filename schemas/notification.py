"""Writes and reads notifications: one row of an alert as the pipeline publishes it for the notifier. JSON, times in ISO 8601, UTC.

What is read is bounded, and nothing but a whole notification is accepted; members that this version does not know are ignored.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from schemas.arrow import Column, columns
from schemas.records import Alert, AlertChange, Severity

MAX_BYTES = 65_536
MAX_TEXT = 2_000
ATTRIBUTES = ("alert_id", "revision", "state", "severity", "rule")


class NotificationError(ValueError):
    """The bytes are no notification; the text says why."""


def encode(alert: Alert) -> tuple[dict[str, str], bytes]:
    """Returns the attributes, by which a subscription can filter, and the body."""
    body = json.dumps(asdict(alert), default=datetime.isoformat, ensure_ascii=False, separators=(",", ":")).encode()
    return {name: str(getattr(alert, name)) for name in ATTRIBUTES}, body


def parse(body: bytes) -> Alert:
    """Reads a body. Raises NotificationError."""
    if len(body) > MAX_BYTES:
        raise NotificationError(f"it has {len(body)} bytes; at most {MAX_BYTES} are taken")
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise NotificationError(f"not JSON: {error}") from error
    if not isinstance(content, dict):
        raise NotificationError("not a JSON object")
    alert = Alert(**{column.name: _value(column, content.get(column.name)) for column in columns(Alert)})
    if alert.state not in list(AlertChange) or alert.severity not in list(Severity) or alert.revision < 0:
        raise NotificationError(f"state {alert.state!r}, severity {alert.severity!r} or revision {alert.revision} is none of an alert")
    return alert


def _value(column: Column, value: Any) -> Any:
    if value is None:
        if column.nullable:
            return None
        raise NotificationError(f"{column.name} is missing")
    return _READERS[column.type](column.name, value)


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str) or len(value) > MAX_TEXT or not value.isprintable():
        raise NotificationError(f"{name} must be one line of text, at most {MAX_TEXT} characters")
    return value


def _integer(name: str, value: Any) -> int:
    if type(value) is not int or not 0 <= value < 2**63:
        raise NotificationError(f"{name} must be a whole number from 0")
    return value


def _number(name: str, value: Any) -> float:
    try:
        if type(value) in (int, float) and math.isfinite(value):
            return float(value)
    except OverflowError:
        pass  # a whole number beyond any float
    raise NotificationError(f"{name} must be a finite number")


def _truth(name: str, value: Any) -> bool:
    if type(value) is not bool:
        raise NotificationError(f"{name} must be true or false")
    return value


def _time(name: str, value: Any) -> datetime:
    try:
        time = datetime.fromisoformat(value)
        if time.tzinfo is not None:
            return time.astimezone(UTC)
    except (TypeError, ValueError, OverflowError) as error:
        raise NotificationError(f"{name} must be a time in ISO 8601") from error
    raise NotificationError(f"{name} must say its offset from UTC")


_READERS = {"string": _text, "int64": _integer, "float64": _number, "bool": _truth, "timestamp": _time}
