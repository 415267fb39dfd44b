"""Turns rejected payloads into rows of rejects, in batches of moderate size. Pure; nothing of the original bytes is lost."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from edge.reading import Rejected
from schemas.records import Reject

_BATCH_BYTES = 262_144
_BATCH_ROWS = 200
_ROW_BYTES = 500
"""About what a row takes besides the payload."""


def next_batch(rejected: Sequence[Rejected]) -> Sequence[Rejected]:
    """Returns the first payloads that make a batch of moderate size, at least one if there is any."""
    size = 0
    for count, each in enumerate(rejected):
        size += len(each.body) + _ROW_BYTES
        if count == _BATCH_ROWS or (count and size > _BATCH_BYTES):
            return rejected[:count]
    return rejected[:]


def reject_row(rejected: Rejected, now: datetime) -> Reject:
    return Reject(
        timestamp=now,
        payloadString=None,
        payloadBytes=rejected.body,
        attributes=(),
        errorMessage=rejected.message,
        stacktrace=None,
        reject_id="",
        stage="edge.intake",
        reason=rejected.reason,
        device_id=rejected.device_id,
        topic=rejected.topic,
        gateway_id=None,
        batch_id=None,
        versions=None,
        seq=rejected.seq,
    )
