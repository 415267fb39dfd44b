"""What the lab itself saw of the two acts, beside what is in the warehouse: kept in story.json, so that the report can be made again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec

from lab.acts.faults import Spell
from lab.services.webhook_receiver import Told
from lab.witness.latency import Arrival
from lab.witness.oracle import Verdict

FILE = "story.json"


@dataclass(frozen=True, slots=True)
class Counts:
    """A verdict of the oracle in numbers."""

    attempted: int
    acknowledged: int
    delivered: int
    lost: int
    repeated: int
    unexpected: int

    @classmethod
    def of(cls, verdict: Verdict) -> Counts:
        lost, unexpected = len(verdict.lost), len(verdict.unexpected)
        return cls(verdict.attempted, verdict.acknowledged, verdict.delivered, lost, verdict.repeated, unexpected)

    @property
    def sound(self) -> bool:
        return not (self.lost or self.repeated or self.unexpected)


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that was done to the running system. `fault` names the fault that begins with it; where it is empty, one ends."""

    time: datetime
    text: str
    fault: str


@dataclass(frozen=True, slots=True)
class RunRecord:
    """`began` and `ended`: when the sensors of act two did. Times UTC, sizes in bytes. `told`: what the notifier delivered."""

    history: Counts
    both: Counts
    season_begin: datetime
    began: datetime
    ended: datetime
    happenings: tuple[Happening, ...]
    spells: tuple[Spell, ...]
    arrivals: tuple[Arrival, ...]
    bytes_raw_mqtt: int
    bytes_uplink: int
    rows: Mapping[str, int]
    parts: Mapping[str, str]
    seconds: float
    told: tuple[Told, ...]

    def save(self, directory: Path) -> Path:
        file = directory / FILE
        file.write_bytes(msgspec.json.format(msgspec.json.encode(self)) + b"\n")
        return file

    @staticmethod
    def load(directory: Path) -> RunRecord:
        """Raises FileNotFoundError, and msgspec.DecodeError for a file that another version wrote."""
        return msgspec.json.decode((directory / FILE).read_bytes(), type=RunRecord)

    @property
    def calm(self) -> Sequence[Arrival]:
        """Batches that met no fault on their way."""
        return [arrival for arrival in self.arrivals if not any(spell.met(arrival) for spell in self.spells)]
