"""What each field needs, and one field over time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldAdvice:
    """A row of `advice_at`: what to do about one field, and what that rests on."""

    site_id: str
    name: str
    crop: str | None
    soil: str | None
    action: Literal["water", "wait", "unknown"]
    need_mm: float | None
    need_m3: float | None
    water_by: datetime | None
    rests_on: Literal["balance", "model", "nothing"]
    why: str | None
    assumed: str | None
    balance_days: float | None
    model_days: float | None
    model_uncertainty: float | None
    irrigated_mm: float | None
    heard_time: datetime | None
    """End of the latest hour of moisture; None if never heard."""
    time_zone: str | None
    moisture: float | None
    """m3/m3, of heard_time."""


@dataclass(frozen=True, slots=True)
class Moisture:
    """Moisture of the root zone in one step of a span: mean, lowest and highest, m3/m3."""

    time: datetime
    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class FieldDay:
    """A row of `irrigation_between`. `full` and `stress` are moistures [m3/m3]: field capacity, and where stress begins."""

    day: datetime
    need_mm: float | None
    rain_mm: float | None
    full: float | None
    stress: float | None
    balance_days: float | None
    model_days: float | None


@dataclass(frozen=True, slots=True)
class Watering:
    """What people say that they gave."""

    time: datetime
    amount_mm: float
    by: str | None


@dataclass(frozen=True, slots=True)
class Probe:
    """What one sensor of the field said last; `fault` says why it is left out, None if it is not."""

    device_id: str
    name: str
    channel: str
    value: float | None
    unit: str | None
    time: datetime | None
    fault: str | None


@dataclass(frozen=True, slots=True)
class Field:
    """One field over a span."""

    advice: FieldAdvice
    area_m2: float | None
    moisture: tuple[Moisture, ...]
    days: tuple[FieldDay, ...]
    waterings: tuple[Watering, ...]
    probes: tuple[Probe, ...]
