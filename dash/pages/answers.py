"""Says which answers an alert may be given, what people said of it, and who looks after it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from dash.data.alerts import Alert
from dash.pages.times import when
from presentation.wording import capital, listed
from schemas.records import Answer

WORDS = {
    Answer.DONE: "It is done",
    Answer.FALSE_ALARM: "False alarm",
    Answer.REPLACED: "A part was replaced",
    Answer.IRRIGATED: "The field was watered",
    Answer.SEEN: "I look after it",
}
"""What a button says."""
_SAID: Mapping[str, str] = {
    Answer.DONE: "done",
    Answer.FALSE_ALARM: "a false alarm",
    Answer.REPLACED: "a part was replaced",
    Answer.IRRIGATED: "watered",
}


def offered(alert: Alert) -> list[Answer]:
    """Returns what can be said of an alert: of a field that it was watered, of a machine that a part was replaced."""
    of_water = alert.source == "irrigation" or "moisture" in alert.rule or "dries" in alert.rule
    more = [Answer.IRRIGATED] if alert.site_id and of_water else [Answer.REPLACED] if alert.device_id else []
    return [Answer.SEEN, Answer.DONE, *more, Answer.FALSE_ALARM]


def said(alert: Alert, now: datetime) -> list[str]:
    """Lists what people answered to an alert, in its order; who looks after it, `looked_after` says."""
    answers = (each for each in alert.said if each.answer != Answer.SEEN)
    return [
        f"{capital(each.by or 'somebody')}, {when(each.time, now, alert.time_zone)}: {_SAID.get(each.answer, each.answer)}"
        for each in answers
    ]


def looked_after(alerts: Iterable[Alert], now: datetime) -> str:
    """Says who looks after any of the alerts, and since when; nothing where nobody does."""
    seen = [(each, alert.time_zone) for alert in alerts for each in alert.said if each.answer == Answer.SEEN]
    if not seen:
        return ""
    people = list(dict.fromkeys(each.by or "somebody" for each, _ in seen))
    first, zone = min(seen, key=lambda pair: pair[0].time)
    return capital(f"{listed(people)} {'looks' if len(people) == 1 else 'look'} after it, since {when(first.time, now, zone)}")
