"""Reads a payload as a gateway's inbox would have it read, without an inbox."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from edge.intake.formats import Context, FormatSetup, formats
from edge.reading import Limits, Reading, Rejected
from schemas.envelope import micros
from tests.edge.gateways import START, config

_CONFIG = config(Path())


def read(payload: bytes, device_id: str = "d1", now: datetime = START) -> list[Reading | Rejected]:
    context = Context(device_id, _CONFIG.sensors[0], micros(now), "synced", Limits())
    return list(next(each for each in formats(FormatSetup(_CONFIG)) if each.claims(payload)).read(payload, context))
