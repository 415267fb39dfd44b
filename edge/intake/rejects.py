"""Refusals -> the rows that tell the cloud of them, in batches of moderate size. Pure; nothing of the original bytes is lost."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from edge.reading import Rejected
from schemas.records import Reject

_REJECT_BYTES_A_BATCH = 262_144
_REJECTS_A_BATCH = 200


def portion(refusals: Sequence[Rejected]) -> Sequence[Rejected]:
    """The first refusals that make a batch of moderate size, at least one if there is any."""
    size = 0
    for count, refusal in enumerate(refusals):
        size += len(refusal.body) + 500
        if count == _REJECTS_A_BATCH or (count and size > _REJECT_BYTES_A_BATCH):
            return refusals[:count]
    return refusals[:]


def reject(refusal: Rejected, now: datetime) -> Reject:
    return Reject(
        timestamp=now,
        payloadString=None,
        payloadBytes=refusal.body,
        attributes=(),
        errorMessage=refusal.message,
        stacktrace=None,
        reject_id="",
        stage="edge.intake",
        reason=refusal.reason,
        device_id=refusal.device_id,
        topic=refusal.topic,
        gateway_id=None,
        batch_id=None,
        versions=None,
    )
