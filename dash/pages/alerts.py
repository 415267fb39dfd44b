"""Alerts: what is open, what was, and what people said of it; with the answers that may be given."""

from __future__ import annotations

from typing import Any

from dash.data import alerts
from dash.data.alerts import Alert
from dash.pages.answers import WORDS, looked_after, offered, said
from dash.pages.page import Asking, Page
from dash.pages.ranges import ranges
from dash.pages.tasks import ORDER, URGENCY
from dash.pages.times import ago, when
from labels.said import MOST_MM, MOST_NAME

DAYS = 30
MOST_OVER = 20
"""So many that are over are shown; the others are in the file."""


def _content(asking: Asking) -> dict[str, Any]:
    span, site = asking.span(DAYS), asking.choice.get("site") or None
    still = alerts.still_open(asking.questions, asking.now, site)
    found = alerts.read(asking.questions, span, site)
    over = [alert for alert in found if not alert.open]
    return {
        "open": [_shown(alert, asking) for alert in sorted(still, key=lambda alert: ORDER.index(URGENCY[alert.severity]))],
        "over": [_shown(alert, asking) for alert in over[:MOST_OVER]],
        "more": max(0, len(over) - MOST_OVER),
        "are_all": alerts.MOST not in {len(still), len(found)},
        "ranges": ranges(asking, span, DAYS),
        "most_mm": f"{MOST_MM:g}",
        "most_name": MOST_NAME,
        "noted": asking.choice.get("noted") == "1",
        "export": "/export/alerts.csv",
    }


def _shown(alert: Alert, asking: Asking) -> dict[str, Any]:
    return {
        "alert": alert,
        "urgency": URGENCY[alert.severity] if alert.open else "over",
        "since": f"since {when(alert.opened_time, asking.now, alert.time_zone)}, for {ago(alert.opened_time, asking.now)}",
        "over": "" if alert.open else _over(alert, asking),
        "answers": [(answer.value, WORDS[answer]) for answer in offered(alert)] if asking.may_answer and alert.open else [],
        "seen": looked_after([alert], asking.now),
        "said": said(alert, asking.now),
    }


def _over(alert: Alert, asking: Asking) -> str:
    """Says when an alert was over; of one that was never resolved, that a later one of its kind took its place."""
    if alert.resolved_time is None:
        return f"opened {when(alert.opened_time, asking.now, alert.time_zone)}, and followed by a later one"
    return f"over {when(alert.resolved_time, asking.now, alert.time_zone)}"


PAGE = Page("/alerts", "Alerts", "alerts.html.j2", _content)
