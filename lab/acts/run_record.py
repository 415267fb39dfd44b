"""Keeps what the lab itself measured in both acts, beside what is in the warehouse, in a file, so that the report can be rendered again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec

from lab.acts.faults import FaultInterval, PerformedAction
from lab.services.webhook_receiver import ReceivedAlert
from lab.witness.latency import Arrival
from lab.witness.oracle import Verdict

FILE = "run_record.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Holds a verdict of the oracle in numbers."""

    attempted: int
    acknowledged: int
    delivered: int
    lost: int
    repeated: int
    unexpected: int

    @classmethod
    def of(cls, verdict: Verdict) -> Counts:
        return cls(
            attempted=verdict.attempted,
            acknowledged=verdict.acknowledged,
            delivered=verdict.delivered,
            lost=len(verdict.lost),
            repeated=verdict.repeated,
            unexpected=len(verdict.unexpected),
        )

    @property
    def sound(self) -> bool:
        return not (self.lost or self.repeated or self.unexpected)

    @property
    def text(self) -> str:
        return (
            f"attempted {self.attempted}, acknowledged {self.acknowledged}, delivered {self.delivered}, "
            f"lost {self.lost}, repeated {self.repeated}, unexpected {self.unexpected}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """Records a demo: `RunRecord.load(directory)`. Times are UTC, sizes are bytes.

    `history` counts act one, `total` both acts. The sensors of act two ran from `started` to `ended`. `alerts` is what the notifier
    delivered.
    """

    history: Counts
    total: Counts
    season_begin: datetime
    started: datetime
    ended: datetime
    actions: tuple[PerformedAction, ...]
    fault_intervals: tuple[FaultInterval, ...]
    arrivals: tuple[Arrival, ...]
    bytes_raw_mqtt: int
    bytes_uplink: int
    rows: Mapping[str, int]
    parts: Mapping[str, str]
    seconds: float
    alerts: tuple[ReceivedAlert, ...]

    def save(self, directory: Path) -> Path:
        file = directory / FILE
        file.write_bytes(msgspec.json.format(msgspec.json.encode(self)) + b"\n")
        return file

    @staticmethod
    def load(directory: Path) -> RunRecord:
        """Raises FileNotFoundError, and msgspec.DecodeError for a file that another version wrote."""
        return msgspec.json.decode((directory / FILE).read_bytes(), type=RunRecord)

    @property
    def unaffected(self) -> Sequence[Arrival]:
        """Returns the batches that no fault affected."""
        return [arrival for arrival in self.arrivals if not any(fault.affects(arrival) for fault in self.fault_intervals)]
