"""Encodes rows of one kind as a batch: their columns under zstd with a dictionary, encoded once and immutable, ready for the outbox.

Guarantees that what the pipeline decodes equals the rows, in their order, exactly; rows that no decoder would accept are refused here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import zstandard

from schemas import columns
from schemas.dictionary import LEVEL, current
from schemas.envelope import MAX_BODY_BYTES, MAX_RAW_BYTES, MAX_ROWS
from schemas.records import KINDS


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedBatch:
    """Holds a batch that has no name yet: `Store.cut` gives it one. Sizes are in bytes, times UTC."""

    kind: str
    row_count: int
    body: bytes
    raw_bytes: int
    priority: int
    time_min: datetime
    time_max: datetime
    readings: int = 0
    """Readings that are lost with this batch: the ledger counts them when a full store drops it."""


def encode(kind: str, rows: Sequence[Any], readings: int = 0) -> EncodedBatch:
    """Encodes `rows`, records of the kind. Raises ValueError for no rows, or more than one batch may hold; ValueError, TypeError,
    AttributeError or OverflowError for a row that is not such a record.
    """
    if not 1 <= len(rows) <= MAX_ROWS:
        raise ValueError(f"a batch of {kind} holds 1 to {MAX_ROWS} rows, not {len(rows)}")
    raw = columns.pack(KINDS[kind].record, rows)
    body = _compressor().compress(raw)
    if len(raw) > MAX_RAW_BYTES or len(body) > MAX_BODY_BYTES:
        raise ValueError(f"a batch of {len(rows)} {kind} is too large: {len(raw)} bytes, {len(body)} compressed")
    times = [getattr(row, KINDS[kind].event_time) for row in rows]
    return EncodedBatch(
        kind=kind,
        row_count=len(rows),
        body=body,
        raw_bytes=len(raw),
        priority=KINDS[kind].priority,
        time_min=min(times),
        time_max=max(times),
        readings=readings,
    )


@cache
def _compressor() -> zstandard.ZstdCompressor:
    """Returns the one compressor, which is not thread-safe: batches are encoded in the gateway's one thread."""
    return zstandard.ZstdCompressor(level=LEVEL, dict_data=zstandard.ZstdCompressionDict(current()), write_checksum=True)


def decoded(body: bytes) -> list[dict[str, Any]]:
    """Returns the rows of a body that `encode` made."""
    decompressor = zstandard.ZstdDecompressor(dict_data=zstandard.ZstdCompressionDict(current()))
    return columns.unpack(decompressor.decompress(body, max_output_size=MAX_RAW_BYTES))
