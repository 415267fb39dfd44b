"""Takes what people answer to an alert: a form of a page of ours, from who may answer, of an alert that they may see.

Guarantees that it is kept before it is thanked for, and that the same said twice, here or by a link of a notice, counts once.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from urllib.parse import parse_qs

from dash.data import alerts
from dash.data.alerts import Alert
from dash.data.span import Span
from dash.data.warehouse import Questions
from dash.pages.answers import offered
from labels.said import LabelError, answered, millimetres, opened_time
from schemas.answers import AnswerLink
from schemas.records import Answer, Label

MOST_BYTES = 2000
_STEP = timedelta(microseconds=1)


class NotTaken(ValueError):
    """The form is no answer; the text says why."""


def form(body: bytes) -> dict[str, str]:
    """Reads the fields of a form. Raises NotTaken."""
    if len(body) > MOST_BYTES:
        raise NotTaken(f"a form has at most {MOST_BYTES} bytes")
    try:
        return {name: values[-1] for name, values in parse_qs(body.decode("ascii"), max_num_fields=10).items()}
    except ValueError as error:
        raise NotTaken("this is no form of this page") from error


def label(fields: Mapping[str, str], questions: Questions, by: str | None, now: datetime) -> Label:
    """Returns the label that a form says; who has signed in says it, whatever name the form has. Raises NotTaken, and Unreachable."""
    alert = _alert(fields.get("alert", ""), questions)
    if alert is None or not alert.open:
        raise NotTaken("This alert is not open any more, or not one that you may see.")
    answer = fields.get("answer", "")
    if answer not in offered(alert):
        raise NotTaken("This alert is not answered so.")
    link = AnswerLink(alert.alert_id, Answer(answer), now)
    text = fields.get("amount") if answer == Answer.IRRIGATED else None
    try:
        amount = millimetres(text) if text else None
        return answered(link, amount=amount, by=by or fields.get("by", "").strip() or None, now=now)
    except LabelError as error:
        raise NotTaken(f"{error}.") from error


def _alert(alert_id: str, questions: Questions) -> Alert | None:
    """Finds an alert of the viewer by its identity, rule:subject:microseconds."""
    opened = opened_time(alert_id)
    if opened is None:
        return None
    span = Span(opened, opened + _STEP)
    return next((alert for alert in alerts.read(questions, span) if alert.alert_id == alert_id), None)
