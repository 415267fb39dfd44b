"""Holds what the loop has shown: summary.json."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from training.soil.metrics import Metrics

FILE = "summary.json"


@dataclass(frozen=True, slots=True)
class Size:
    """Says how large a farm is, and how many seasons the crop-water model adds to what its fields teach."""

    gateways: int = 16
    fields_each: int = 3
    lessons: int = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Is what was decided on a day of the second season."""

    day: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BadRelease:
    """Is a release that should not have run: how it ended, and the largest share of the gateways that ever ran it."""

    name: str
    version: str
    ended: str
    largest_share: float = 0.0

    def ran_on(self, share: float) -> BadRelease:
        return BadRelease(name=self.name, version=self.version, ended=self.ended, largest_share=round(share, 3))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """Says on how many gateways a version judged windows on a day of the second season."""

    day: int
    version: str
    gateways: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """Is a window of a field: the days until stress that came, and those that the models saw."""

    day: float
    came: float | None
    v2: float
    v1: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """Is the second season of a site held out."""

    site_id: str
    rows: tuple[Moment, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Is the content of summary.json. `metrics` are of sites held out, in the season after training: of v2, v1 and each rule."""

    metrics: Mapping[str, Metrics]
    windows_measured: int
    held_out_sites: tuple[str, ...]
    training_sites: tuple[str, ...]
    bad_releases: tuple[BadRelease, ...]
    steps: tuple[Step, ...]
    ran: tuple[Ran, ...]
    example: Example | None
    readings: int
    lost: int
    repeated: int
    windows: int
    windows_too_young: int
    """Those of a device's first day of a season, of which no model says anything yet."""
    windows_without_verdict: int
    release_faults: tuple[str, ...]
    seconds: float

    @property
    def sound(self) -> bool:
        """Says whether nothing was lost, repeated or left without a verdict, and no bad release ran beyond its canary."""
        return not (self.lost or self.repeated or self.windows_without_verdict) and all(
            bad.ended in {"halt", "never started"} and bad.largest_share < 1 for bad in self.bad_releases
        )

    def save(self, file: Path) -> None:
        file.write_bytes(msgspec.json.format(msgspec.json.encode(self), indent=1) + b"\n")
