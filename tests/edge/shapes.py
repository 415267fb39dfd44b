"""Reads a message as a gateway of given classes would, without a store."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from edge.intake.reader import MqttMessage, Reader
from edge.reading import Reading, Rejected
from schemas.envelope import micros
from tests.edge.gateways import START, config


def described(channels: dict[str, str] | None = None, /, topic: str | None = None, **payload: Any) -> dict[str, Any]:
    """A class of all devices, with [sensors.payload]."""
    topics = {"topics": [topic]} if topic else {}
    return {"name": "own", "devices": ["*"], "channels": channels or {"moisture": "m3/m3"}, "payload": {**topics, **payload}}


def read(
    payload: object, *classes: dict[str, Any], topic: str = "sensors/d1/readings", now: datetime = START, folder: Path = Path()
) -> list[Reading | Rejected]:
    """What becomes of one message: bytes and texts as they are, anything else as JSON."""
    body = payload if isinstance(payload, bytes) else payload.encode() if isinstance(payload, str) else json.dumps(payload).encode()
    reader = Reader(config(folder, sensors=list(classes)))
    return list(reader.read(MqttMessage(topic, body), micros(now), "synced"))


def readings(*arguments: Any, **named: Any) -> list[Reading]:
    """The readings of a message that has nothing else."""
    results = read(*arguments, **named)
    rejected = [result for result in results if isinstance(result, Rejected)]
    assert rejected == []
    return [result for result in results if isinstance(result, Reading)]


def reasons(*arguments: Any, **named: Any) -> list[str]:
    return [result.reason for result in read(*arguments, **named) if isinstance(result, Rejected)]
