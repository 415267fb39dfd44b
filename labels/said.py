"""Makes a label of what somebody said. Pure. The same said of the same thing has the same identity, whoever says it and however often."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime, timedelta

from schemas.answers import AnswerLink
from schemas.envelope import from_micros
from schemas.records import Answer, Label

MOST_MM = 500.0
"""No field is given more water than this at once."""
MOST_AHEAD = timedelta(days=1)
"""So much may a day or a clock be another one where somebody speaks."""
MOST_NOTE = 500
MOST_NAME = 100


class LabelError(ValueError):
    """What was said makes no label; the text says what is missing or wrong."""


def answered(link: AnswerLink, *, amount: float | None, by: str | None, now: datetime) -> Label:
    """Returns the label of a link that was followed: water is given now, all else is of when the alert opened. Raises LabelError."""
    opened = opened_time(link.alert_id) or now
    time = now if link.answer == Answer.IRRIGATED else min(opened, now)
    identity = [link.alert_id, link.answer, *_who(link.answer, by)]
    return _label(identity, answer=link.answer, amount=amount, event_time=time, alert_id=link.alert_id, labelled_time=now, labelled_by=by)


def stated(  # noqa: PLR0913 - the columns that a person fills
    answer: Answer,
    *,
    event_time: datetime,
    now: datetime,
    site_id: str | None = None,
    device_id: str | None = None,
    alert_id: str | None = None,
    amount: float | None = None,
    by: str | None = None,
    note: str | None = None,
) -> Label:
    """Returns the label of what was said without a link. Raises LabelError."""
    if not (site_id or device_id or alert_id):
        raise LabelError("say what it is about: a site, a device or an alert")
    if answer == Answer.SEEN and not alert_id:
        raise LabelError(f"{answer} is said of an alert")
    if event_time > now + MOST_AHEAD:
        raise LabelError(f"{event_time:%Y-%m-%d %H:%M} UTC is still to come: what is said is of what was")
    if note and (len(note) > MOST_NOTE or not note.isprintable()):
        raise LabelError(f"a note is one line of at most {MOST_NOTE} characters")
    identity = [alert_id, site_id, device_id, answer, event_time.isoformat(), amount, *_who(answer, by)]
    about = {"site_id": site_id, "device_id": device_id, "alert_id": alert_id, "note": note}
    return _label(identity, answer=answer, amount=amount, event_time=event_time, labelled_time=now, labelled_by=by, **about)


def millimetres(text: str) -> float:
    """Reads how much water was given, as people write it. Raises LabelError."""
    try:
        return float(text.replace(",", "."))
    except ValueError as error:
        raise LabelError("how much water was given is a number of mm") from error


def _who(answer: Answer, by: str | None) -> list[str | None]:
    """Returns what tells apart who says the same: of who looks after an alert each counts, of all else it counts once."""
    return [by] if answer == Answer.SEEN else []


def _label(identity: Sequence[object], *, answer: Answer, amount: float | None, labelled_by: str | None, **columns: object) -> Label:
    if labelled_by and (len(labelled_by) > MOST_NAME or not labelled_by.isprintable()):
        raise LabelError(f"a name is one line of at most {MOST_NAME} characters")
    if answer == Answer.IRRIGATED and not (amount and 0 < amount <= MOST_MM):
        raise LabelError(f"how much water was given is more than 0 and at most {MOST_MM:g} mm")
    if answer != Answer.IRRIGATED and amount is not None:
        raise LabelError(f"{answer} has no amount")
    label_id = hashlib.sha256(json.dumps(identity).encode()).hexdigest()
    return Label(label_id=label_id, answer=answer, amount=amount, labelled_by=labelled_by, **columns)  # type: ignore[arg-type]


def opened_time(alert_id: str) -> datetime | None:
    """Reads when an alert opened off its identity, rule:subject:microseconds; None of what is none."""
    text = alert_id.rpartition(":")[2]
    try:
        return from_micros(int(text))
    except (ValueError, OverflowError):
        return None
