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
    """Says how many farms there are, of two gateways each, and how many seasons the crop-water model adds to what their fields teach."""

    farms: int = 6
    fields_each: int = 12
    lessons: int = 160


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """Is what `tinybeam train soil --figures` says of a successor, the release that runs and the rules: at sites held out."""

    metrics: Mapping[str, Metrics]
    examples: int
    sites: tuple[str, ...]
    refusals: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Is what was decided on a day of the second season."""

    day: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """Is a row of the view release_decisions, with the day of the second season."""

    day: int
    release: int
    control: int | None
    action: str
    share: float
    reasons: str
    compared_on: str | None
    device_days: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BadRelease:
    """Is a release that should not have run: what was decided of it last, and the largest share of the gateways that ever ran it."""

    name: str
    version: str
    ended: str
    largest_share: float

    @property
    def is_contained(self) -> bool:
        """Says whether it was halted before all ran it, or ran nowhere."""
        return self.largest_share == 0 or (self.ended == "halt" and self.largest_share < 1)


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
    """Is the content of summary.json."""

    gate: Mapping[str, Metrics]
    """Of v2, v1 and each rule at sites held out, in the season that taught the others, by what came later."""
    gate_windows: int
    refusals: tuple[str, ...]
    """Why v2 may not follow v1: then it was not released, and there was no second season."""
    successor_ended: str
    """What was decided of v2 when its canary had run; empty if it was not released."""
    metrics: Mapping[str, Metrics]
    """The same of the season after training, by what the crop-water model knows."""
    windows_measured: int
    sites: int
    held_out_sites: tuple[str, ...]
    bad_releases: tuple[BadRelease, ...]
    steps: tuple[Step, ...]
    decisions: tuple[Decided, ...]
    """What `tinybeam release advance` decides, as the warehouse has it."""
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
        """Says whether v2 came to all, nothing was lost, repeated or left without a verdict, and no bad release ran beyond its canary."""
        whole = not (self.lost or self.repeated or self.windows_without_verdict)
        contained = all(bad.is_contained for bad in self.bad_releases)
        return whole and contained and self.successor_ended == "advance"

    def save(self, file: Path) -> None:
        file.write_bytes(msgspec.json.format(msgspec.json.encode(self), indent=1) + b"\n")
