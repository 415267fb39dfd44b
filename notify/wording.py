"""Writes a notice as a person reads it: a subject for a phone's lock screen, a line, and a text. Times are those of the site.

Identifiers stand at the foot of the text alone. However many alerts a notice has, it lists few of them, and counts all.
"""

from __future__ import annotations

from collections.abc import Iterator

from notify.notice import Notice
from presentation.wording import unit, with_units
from program.local_time import duration, moment
from schemas.records import Alert, AlertChange, Answer

LISTED = 20
"""So many more alerts a text lists; the others it counts."""
LONGEST_SUBJECT = 180

_ANSWERS = {
    Answer.SEEN: "Will you look after it",
    Answer.DONE: "Is it done",
    Answer.FALSE_ALARM: "Is it a false alarm",
    Answer.IRRIGATED: "Did you water the field",
    Answer.REPLACED: "Did you replace a part",
}


def subject(notice: Notice) -> str:
    """Writes one line such as `Warning and 14 more: Mill Field, Probe at the oak: water it now (0.12 m³/m³)`."""
    more = f" and {len(notice.more)} more" if notice.more else ""
    return _cut(f"{_word(notice.first)}{more}: {with_units(notice.first.message)}", LONGEST_SUBJECT)


def line(notice: Notice) -> str:
    """Writes all that matters in one line."""
    alert = notice.first
    parts = [f"{_word(alert)}: {with_units(alert.message)}", *_time_and_value(alert)]
    parts += [f"To do: {alert.to_do}"] if alert.to_do else []
    parts += [alert.link] if alert.link else []
    parts += [f"and {len(notice.more)} more: {_count(notice)}"] if notice.more else []
    return " | ".join(parts)


def text(notice: Notice) -> str:
    """Writes the whole notice, in lines, with the identifiers at its foot."""
    alert = notice.first
    sentence = f"{_word(alert)}: {with_units(alert.message)}"
    foot = f"{alert.severity}, rule {alert.rule}, {alert.state}, revision {alert.revision}", f"alert {alert.alert_id}"
    return "\n".join((sentence, "", *_details(notice), "", *foot))


def chat(notice: Notice) -> str:
    """Writes the notice as a chat shows it: without identifiers, which are beside it. Nothing in it is a link or a mention."""
    return _unmarked("\n".join((subject(notice), *_details(notice))))


def _unmarked(text: str) -> str:
    """Escapes what Slack takes for its own marks (https://api.slack.com/reference/surfaces/formatting), and parts what others do."""
    for mark, plain in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("@", "@\u200b"), ("](", "]\u200b(")):
        text = text.replace(mark, plain)
    return text


def _details(notice: Notice) -> Iterator[str]:
    alert = notice.first
    yield f"Where: {_place(alert)}"
    yield from _time_and_value(alert)
    if alert.to_do:
        yield f"To do: {alert.to_do}"
    if alert.link:
        yield f"More: {alert.link}"
    for answer, link in notice.links.items():
        yield f"{_ANSWERS[answer]}? {link}"
    yield from _others(notice)


def _place(alert: Alert) -> str:
    names = [name for name in (alert.site_name or alert.site_id, alert.device_name or alert.device_id) if name]
    return ", ".join(names) or alert.subject


def _time_and_value(alert: Alert) -> Iterator[str]:
    begin = moment(alert.opened_time, alert.time_zone)
    if alert.state == AlertChange.RESOLVED:
        end = moment(alert.event_time, alert.time_zone)
        yield f"Over: {end}, after {duration(alert.event_time - alert.opened_time)} (since {begin})"
    else:
        yield f"Since: {begin}, for {duration(alert.as_of - alert.opened_time)}"
    # Without a unit and a limit it is a model's score, which tells nobody anything.
    if alert.value is not None and (alert.unit or alert.threshold is not None):
        limit = "" if alert.threshold is None else f" (limit {_quantity(alert.threshold, alert)})"
        yield f"Value: {_quantity(alert.value, alert)}{limit}"


def _quantity(value: float, alert: Alert) -> str:
    return f"{value:.4g} {unit(alert.unit or '')}".rstrip()


def _others(notice: Notice) -> Iterator[str]:
    if not notice.more:
        return
    yield ""
    yield f"And {len(notice.more)} more of this rule and site: {_count(notice)}"
    for alert in notice.more[:LISTED]:
        yield f"- {_word(alert)}: {_cut(with_units(alert.message), LONGEST_SUBJECT)} (since {moment(alert.opened_time, alert.time_zone)})"
    if len(notice.more) > LISTED:
        yield f"- and {len(notice.more) - LISTED} that are not listed: the view alerts has them all"


def _count(notice: Notice) -> str:
    over = len(notice.alerts) - notice.open_alerts
    return f"{len(notice.alerts)} in all, {notice.open_alerts} open and {over} over"


def _word(alert: Alert) -> str:
    return "Over" if alert.state == AlertChange.RESOLVED else alert.severity.capitalize()


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 3]}..."
