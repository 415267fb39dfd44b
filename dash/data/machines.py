"""How each machine sounds, and one machine over time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineNow:
    """The latest verdict on one machine. `label` is one of the model's, the worst last in `labels`; None if it was never judged."""

    device_id: str
    name: str
    site_id: str | None
    site: str
    time_zone: str | None
    model: str | None
    label: str | None
    labels: tuple[str, ...]
    score: float | None
    times_week_before: float | None
    """Mean score of the last day over that of the day a week before; None where either is unknown."""
    label_since: datetime | None
    judged_time: datetime | None
    """End of the latest judged window."""
    heard_time: datetime | None
    """End of the latest window of any channel."""


@dataclass(frozen=True, slots=True)
class Scored:
    """The score in one step of a span: mean, lowest and highest, without a unit."""

    time: datetime
    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Threshold:
    """Above `score` the verdict is `label`."""

    label: str
    score: float


@dataclass(frozen=True, slots=True)
class Change:
    """The verdict changed from `before` (None at first) to `label`."""

    time: datetime
    before: str | None
    label: str
    score: float | None


@dataclass(frozen=True, slots=True)
class Band:
    """One input of the model, as a person names it: its mean of the last day of the span and of the first."""

    name: str
    unit: str | None
    now: float | None
    before: float | None


@dataclass(frozen=True, slots=True)
class Machine:
    """One machine over a span."""

    now: MachineNow
    scores: tuple[Scored, ...]
    thresholds: tuple[Threshold, ...]
    changes: tuple[Change, ...]
    bands: tuple[Band, ...]
