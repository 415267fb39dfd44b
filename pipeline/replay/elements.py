"""Defines what a replay reads, asks and gives. Knows no engine and no warehouse."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from pipeline.elements import DecodedBatch
from schemas.records import Kind

Identity = tuple[str, int]
"""batch_id and row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Says which rejects are meant: those set aside in a time, of any of the reasons, stages, gateways, devices; none named is all."""

    first: datetime
    last: datetime | None = None
    """Exclusive; None is now."""
    reasons: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    gateways: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAside:
    """Is a reject: the attributes of its message, and its bytes as they came, or its rows as an Arrow IPC stream."""

    reject_id: str
    stage: str
    reason: str
    attributes: dict[str, str]
    body: bytes
    received_time: datetime
    rows_in: int = 0
    """How many of its rows are facts already, by an earlier replay."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """Is what a reject gives now: rows that become facts, and rows that are facts already but were not marked as replayed."""

    reject_id: str
    rows_in: int
    """How many of its rows are facts after this replay."""
    rows_left: int
    new: DecodedBatch | None = None
    again: DecodedBatch | None = None
    first_of_batch: bool = False
    """Whether its batch has no row of batches_v1 yet."""


@dataclass(frozen=True, slots=True)
class Left:
    """Is a reject of which nothing comes in, and why."""

    reject_id: str
    why: str


class RejectStore(Protocol):
    """Reads what was set aside, and which of it is in the tables by now."""

    def set_aside(self, selection: Selection) -> Iterator[SetAside]:
        """Yields the rejects that are meant, the oldest first."""

    def facts(self, kind: Kind, batch_ids: Collection[str], first: datetime, last: datetime) -> set[Identity]:
        """Returns the identities of the rows of these batches that are facts, with event times within the bounds."""

    def batches(self, batch_ids: Collection[str], first: datetime, last: datetime) -> set[str]:
        """Returns which of these batches, cut within the bounds, have a row of their own."""
