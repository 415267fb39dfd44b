"""Alerts, and what people said of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from dash.data.span import Span
from dash.data.warehouse import Questions, Row

MOST = 500
"""So many are read at most."""
_OLDEST = timedelta(days=366)
"""An alert that has been open for longer tells nobody anything."""


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


def read(questions: Questions, span: Span, site_id: str | None = None) -> tuple[Alert, ...]:
    """Returns the alerts that opened in a span, those that are open first, then the newest, MOST at most. Raises Unreachable."""
    return _asked(questions, span, site_id or "", open_alone=False)


def still_open(questions: Questions, now: datetime, site_id: str | None = None) -> tuple[Alert, ...]:
    """Returns the alerts of the last year that are open, the newest first, MOST at most. Raises Unreachable."""
    return _asked(questions, Span(now - _OLDEST, now + timedelta(days=1)), site_id or "", open_alone=True)


def _asked(questions: Questions, span: Span, site_id: str, *, open_alone: bool) -> tuple[Alert, ...]:
    rows = questions.query("alerts", from_time=span.begin, to_time=span.end, site_id=site_id, open_alone=open_alone, most=MOST)
    return tuple(map(_alert, rows))


def _alert(row: Row) -> Alert:
    same = ("alert_id", "rule", "source", "severity", "open", "site_id", "device_id", "time_zone", "opened_time", "resolved_time")
    words = ("value", "threshold", "unit", "message", "to_do", "told")
    return Alert(
        **{name: row[name] for name in (*same, *words)},
        site=row["site_name"] or row["site_id"],
        subject_name=row["device_name"] or row["device_id"] or row["site_name"] or row["subject"],
        said=tuple(Said(said["answer"], said["time"], said["labelled_by"], said["note"]) for said in row["said"] or ()),
    )
