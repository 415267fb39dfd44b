"""What flows between the steps. A batch of rows is one element from Pub/Sub to BigQuery; no row ever is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pyarrow as pa

from schemas.envelope import Envelope

Clock = Callable[[], datetime]
"""Gives the time now, UTC. Passed in, so that tests have their own."""

CARD_FILE = "card_file"
"""Attribute of a message made from those bytes of a card file that are no sound frame: the file's name."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message as it arrived, nothing in it trusted yet."""

    attributes: dict[str, str]
    body: bytes
    received_time: datetime


@dataclass(frozen=True, slots=True)
class Batch:
    """One decoded batch. `rows` has the columns `row` and `extras`, then those of the wire; `site_id` last once it is known."""

    envelope: Envelope
    received_time: datetime
    body_bytes: int
    rows: pa.RecordBatch

    def with_rows(self, rows: pa.RecordBatch) -> Batch:
        return replace(self, rows=rows)


@dataclass(frozen=True, slots=True)
class Refused:
    """Rows that are set aside, whole, with the reason (a short fixed word) and a sentence."""

    reason: str
    text: str
    rows: pa.RecordBatch


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows for one table of the warehouse, with exactly its columns."""

    table: str
    rows: pa.RecordBatch


@dataclass(frozen=True, slots=True)
class Unwritten:
    """Rows that the warehouse refused for their content."""

    table: str
    refused: Refused


@dataclass(frozen=True, slots=True)
class Notice:
    """One message for those who are told of alerts."""

    attributes: dict[str, str]
    body: bytes


def wall_clock() -> datetime:
    return datetime.now(UTC)
