"""Alerts: what is open, what was, and what people said of it; with the answers that may be given."""

from __future__ import annotations

from typing import Any

from dash.data import alerts
from dash.data.alerts import Alert
from dash.pages.page import Asking, Page
from dash.pages.ranges import ranges
from dash.pages.tasks import URGENCY
from dash.pages.times import ago, when
from labels.said import MOST_MM
from schemas.records import Answer

DAYS = 30
WORDS = {
    Answer.DONE: "It is done",
    Answer.FALSE_ALARM: "False alarm",
    Answer.REPLACED: "A part was replaced",
    Answer.IRRIGATED: "The field was watered",
}
_ANSWERED = {Answer.DONE: "done", Answer.FALSE_ALARM: "a false alarm", Answer.REPLACED: "a part was replaced", Answer.IRRIGATED: "watered"}


def _content(asking: Asking) -> dict[str, Any]:
    span, site = asking.span(DAYS), asking.choice.get("site") or None
    still = [alert for alert in alerts.still_open(asking.questions, asking.now) if site in {None, alert.site_id}]
    over = [alert for alert in alerts.read(asking.questions, span, site) if not alert.open]
    return {
        "open": [_shown(alert, asking) for alert in still],
        "over": [_shown(alert, asking) for alert in over],
        "ranges": ranges(asking, span, DAYS),
        "most_mm": f"{MOST_MM:g}",
        "noted": asking.choice.get("noted") == "1",
        "export": "/export/alerts.csv",
    }


def _shown(alert: Alert, asking: Asking) -> dict[str, Any]:
    return {
        "alert": alert,
        "urgency": URGENCY[alert.severity] if alert.open else "over",
        "since": f"since {when(alert.opened_time, asking.now, alert.time_zone)}, for {ago(alert.opened_time, asking.now)}",
        "over": f"over {when(alert.resolved_time, asking.now, alert.time_zone)}" if alert.resolved_time else "",
        "answers": [(answer.value, WORDS[answer]) for answer in offered(alert)] if asking.may_answer and alert.open else [],
        "said": [_said(said.answer, said.by, when(said.time, asking.now, alert.time_zone)) for said in alert.said],
    }


def _said(answer: str, by: str | None, at: str) -> str:
    words = _ANSWERED.get(Answer(answer), answer) if answer in set(Answer) else answer
    return f"{by or 'somebody'}, {at}: {words}"


def offered(alert: Alert) -> list[Answer]:
    """Returns what can be said of an alert: of a field that it was watered, of a machine that a part was replaced."""
    of_water = alert.source == "irrigation" or "moisture" in alert.rule or "dries" in alert.rule
    more = [Answer.IRRIGATED] if alert.site_id and of_water else [Answer.REPLACED] if alert.device_id else []
    return [Answer.DONE, *more, Answer.FALSE_ALARM]


PAGE = Page("/alerts", "Alerts", "alerts.html.j2", _content)
