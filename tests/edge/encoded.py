"""Encoded batches and times for the tests of store, uplink and export, which do not look into bodies."""

from datetime import UTC, datetime

from edge.store.batch import EncodedBatch
from schemas.records import KINDS

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


def encoded(kind: str = "summaries", body: bytes = b"body", readings: int = 0) -> EncodedBatch:
    return EncodedBatch(
        kind=kind,
        row_count=1,
        body=body,
        raw_bytes=max(len(body), 1),
        priority=KINDS[kind].priority,
        time_min=NOW,
        time_max=NOW,
        readings=readings,
    )
