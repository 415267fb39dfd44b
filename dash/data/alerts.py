"""Alerts, and what people said of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody answered: a row of the view labels."""

    answer: str
    time: datetime
    by: str | None
    note: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """An alert as it stands. `subject_name` is the name of the device, site or gateway."""

    alert_id: str
    rule: str
    source: str
    severity: Literal["info", "warning", "critical"]
    open: bool
    site_id: str | None
    site: str | None
    device_id: str | None
    subject_name: str
    time_zone: str | None
    opened_time: datetime
    resolved_time: datetime | None
    value: float | None
    threshold: float | None
    unit: str | None
    message: str
    to_do: str | None
    told: bool
    said: tuple[Said, ...]
