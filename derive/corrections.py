"""Compares the alerts of one rule and subject with what all facts say, and makes the rows by which they become that. Pure.

What all facts say is what the rule's own state machine says of every observation in order. An alert that a run lost is added; one that
stands otherwise gets one more row; one that a run raised and the facts do not support is retracted. Nobody is notified, and what is right
gets no row. An alert whose latest row is newer than what was looked at is left to the running pipeline, with all of its time.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from pipeline.alerts import rows
from pipeline.alerts.adoption import state_of
from pipeline.alerts.in_force import RulesInForce
from pipeline.alerts.observation import Observation
from schemas.envelope import micros
from schemas.records import Alert, AlertChange

_OVER = {AlertChange.RESOLVED, AlertChange.RETRACTED}
_OF_THE_RUN = {"historical", "notified", "revision", "as_of"}


class Known(NamedTuple):
    """Is the latest row of an alert, and whether people were notified of any of its rows."""

    row: Alert
    told: bool


@dataclass(frozen=True, slots=True)
class Reach:
    """Says what is looked at: alerts from `begin` on, by facts from `earliest` on, and observations that could be known by `known_by`."""

    earliest: datetime
    begin: datetime
    known_by: datetime


class Subject(NamedTuple):
    """Holds what is known of a rule and its subject. `before` is the row that its latest alert had at the reach's `earliest`, if any."""

    rule: str
    name: str
    observed: Sequence[Observation]
    alerts: Sequence[Known] = ()
    before: Alert | None = None


def corrections(rules: RulesInForce, subject: Subject, reach: Reach, now: datetime) -> list[Alert]:
    """Returns the rows to add."""
    start, before = _start(rules, subject, reach)
    settled = [one for one in subject.observed if one.known_at <= micros(reach.known_by) and one.at >= micros(start)]
    if not settled:
        return []
    newest = micros(reach.known_by) - max(one.known_at - one.at for one in settled)
    standing = [known for known in subject.alerts if known.row.state != AlertChange.RETRACTED]
    newer = [known.row for known in standing if micros(known.row.event_time) > newest]
    supported = _supported(rules, subject.rule, settled, before, now)
    raised = [
        known
        for known in standing
        if known.row.alert_id not in supported and known.row.opened_time >= start and not _overlaps_any([known.row], newer)
    ]
    due = [of_alert for of_alert in supported.values() if not _overlaps_any(of_alert, newer)]
    missing = [row for of_alert in due for row in _missing(rules, of_alert, subject.alerts, raised, now)]
    return rules.complete(missing) + [_retracted(known, now) for known in raised]


def _start(rules: RulesInForce, subject: Subject, reach: Reach) -> tuple[datetime, Alert | None]:
    """Returns from when observations are judged, and the row to go on from: if possible from a time of which nothing is remembered.

    What a state machine remembers of cooldowns is in no row. So it starts where no alert was open or had just ended; an alert that began
    too long ago for that is gone on with by its row.
    """
    machine = rules.machine(subject.rule)
    if machine is None:
        return reach.begin, None
    start, rule = reach.begin, machine.rule
    for alert in sorted((known.row for known in subject.alerts), key=_opened, reverse=True):
        remembered = alert.state not in _OVER or alert.event_time + timedelta(seconds=rule.cooldown_seconds) >= start
        if alert.opened_time < start and remembered and alert.state != AlertChange.RETRACTED:
            start = alert.opened_time - timedelta(seconds=rule.for_seconds)
    return (start, None) if start >= reach.earliest else (reach.earliest, subject.before)


def _opened(alert: Alert) -> datetime:
    return alert.opened_time


def _supported(
    rules: RulesInForce, rule: str, settled: Iterable[Observation], before: Alert | None, now: datetime
) -> dict[str, list[Alert]]:
    """Returns the rows of each alert that the facts support, by its identity."""
    machine = rules.machine(rule)
    found: dict[str, list[Alert]] = defaultdict(list)
    if before:
        found[before.alert_id].append(before)
    for row in machine.run(settled, now, state_of(rules, before) if before else None) if machine else []:
        found[row.alert_id].append(row)
    return found


def _missing(rules: RulesInForce, of_alert: list[Alert], known: Iterable[Known], raised: Iterable[Known], now: datetime) -> list[Alert]:
    """Returns the rows that an alert lacks. People who were notified of one that is retracted in its favour know of it."""
    stands = next((each for each in known if each.row.alert_id == of_alert[0].alert_id), None)
    ending = _ending(rules, of_alert[-1], now)
    if stands is None:
        told = any(each.told and _overlaps_any(of_alert, [each.row]) for each in raised)
        return [replace(row, historical=not told, notified=told) for row in (*of_alert, *ending)]
    if ending and stands.row.state == AlertChange.RESOLVED:
        return []
    last = (ending or of_alert)[-1]
    corrected = replace(last, historical=not stands.told, notified=False, revision=stands.row.revision + 1, as_of=now)
    return [] if _alike(*rules.complete([corrected, stands.row])) else [corrected]


def _ending(rules: RulesInForce, last: Alert, now: datetime) -> list[Alert]:
    """Returns the row that ends an alert that nothing would resolve, as its rule or its device is gone."""
    state = state_of(rules, last)
    reason = rules.reason_to_close(last.rule, state, now)
    return rows.ended(state, micros(now), reason, rows.Showing(now, old=True))[1] if reason else []


def _retracted(known: Known, now: datetime) -> Alert:
    return replace(
        known.row,
        state=AlertChange.RETRACTED,
        message=f"{known.row.message}: retracted, all facts together do not support it",
        historical=True,
        notified=False,
        revision=known.row.revision + 1,
        as_of=now,
    )


def _overlaps_any(of_alert: Sequence[Alert], others: Iterable[Alert]) -> bool:
    """Tells whether an alert, by its rows, was open at the time of another, by the last row of that."""
    opened, last = of_alert[0].opened_time, of_alert[-1]
    return any(
        (other.state != AlertChange.RESOLVED or opened <= other.event_time)
        and (last.state != AlertChange.RESOLVED or other.opened_time <= last.event_time)
        for other in others
    )


def _alike(one: Alert, other: Alert) -> bool:
    """Tells whether two rows show the same, but for rounding."""
    shown, known = ({name: value for name, value in asdict(row).items() if name not in _OF_THE_RUN} for row in (one, other))
    return all(_same(value, known[name]) for name, value in shown.items())


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)
    return bool(one == other)
