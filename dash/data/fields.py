"""What each field needs, and one field over time."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Literal

from dash.data import devices
from dash.data.span import Span
from dash.data.warehouse import Questions, Row


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

    @property
    def days(self) -> float | None:
        """Returns the days until stress by the forecast that the advice rests on."""
        return self.model_days if self.rests_on == "model" else self.balance_days


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


def overview(questions: Questions, now: datetime) -> tuple[FieldAdvice, ...]:
    """Returns what to do about each field, by name. Raises Unreachable."""
    return tuple(map(_advice, questions.query("advice", moment=now)))


def read(questions: Questions, site_id: str, span: Span) -> Field | None:
    """Returns a field over a span, its advice as of the end; None if there is no such field, or not for this viewer. Raises Unreachable."""
    of_span = {"site_id": site_id, "from_time": span.begin, "to_time": span.end}
    questions.ahead("advice", "devices", moment=span.end)
    questions.ahead("field_days", "waterings", **of_span)
    questions.ahead("moisture", step_seconds=span.step_seconds, **of_span)
    advice = next((row for row in questions.query("advice", moment=span.end) if row["site_id"] == site_id), None)
    if advice is None:
        return None
    return Field(
        advice=_advice(advice),
        area_m2=advice["area_m2"],
        moisture=tuple(
            Moisture(row["time"], row["mean"], row["low"], row["high"])
            for row in questions.query("moisture", step_seconds=span.step_seconds, **of_span)
        ),
        days=tuple(map(_day, questions.query("field_days", **of_span))),
        waterings=tuple(Watering(row["time"], row["amount_mm"], row["labelled_by"]) for row in questions.query("waterings", **of_span)),
        probes=_probes(questions, advice, span.end),
    )


def _advice(row: Row) -> FieldAdvice:
    return FieldAdvice(**{field.name: row[field.name] for field in fields(FieldAdvice)})


def _day(row: Row) -> FieldDay:
    limits = row["full_moisture"], row["stress_moisture"]
    return FieldDay(row["day"], row["need_mm"], row["rain_mm"], *limits, row["balance_days"], row["model_days"])


def _probes(questions: Questions, advice: Row, now: datetime) -> tuple[Probe, ...]:
    names = {device.device_id: device.name for device in devices.read(questions, now)}
    return tuple(
        Probe(
            probe["device_id"],
            names.get(probe["device_id"], probe["device_id"]),
            probe["channel"],
            probe["value"],
            probe["unit"],
            probe["time"],
            probe["fault"],
        )
        for probe in advice["probes"] or ()
    )
