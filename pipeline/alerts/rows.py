"""Makes rows of alerts_v1 of an alert's state, and the state that knows of them. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from msgspec.structs import replace

from pipeline.alerts import history
from pipeline.alerts.observation import Observation
from pipeline.alerts.state import AlertState
from schemas.envelope import from_micros
from schemas.records import Alert, AlertChange
from schemas.rules import Rule


class Showing(NamedTuple):
    """Says when a row is made, whether what it shows is old, and whether it only brings the alert up to date."""

    now: datetime
    old: bool = False
    quiet: bool = False


def shown(rule: Rule, state: AlertState, observation: Observation, showing: Showing) -> tuple[AlertState, list[Alert]]:
    """Returns the state that knows of the row, and the row. The end of what people know of is no history, however late it is known."""
    state = replace(state, source=rule.source, severity=rule.severity)
    text = f"{rule.message}: {observation.text}" if rule.message else observation.text
    old = showing.old if state.holds else not state.known
    return _added(state, replace(observation, text=text), showing._replace(old=old))


def came_and_went(rule: Rule, begun: Observation, ended: Observation, now: datetime) -> list[Alert]:
    """Returns the rows of an alert that was over before it was known."""
    state, opened = shown(rule, AlertState(holds=True, opened=begun.at), begun, Showing(now, old=True))
    return opened + shown(rule, replace(state, holds=False), ended, Showing(now, old=True))[1]


def ended(state: AlertState, at: int, why: str, showing: Showing) -> tuple[AlertState, list[Alert]]:
    """Returns the row that ends an alert for another reason than an observation of its source."""
    last = state.shown
    if not state.is_open or last is None:
        return state, []
    state = replace(state, holds=False, met_since=None, last=None, pending=None)
    return _added(state, replace(last, at=at, text=f"{last.text}: closed, {why}"), showing._replace(old=not state.known))


def _added(state: AlertState, observation: Observation, showing: Showing) -> tuple[AlertState, list[Alert]]:
    row = _row(state, observation, showing)
    span = () if state.holds else ((state.opened, observation.at),)
    state = replace(
        state,
        is_open=state.holds,
        ended=None if state.holds else observation.at,
        revision=row.revision,
        notified=state.notified or bool(row.notified),
        known=state.holds if row.notified else state.known,
        shown=observation,
        spans=history.with_spans(state.spans, span),
    )
    return state, [row]


def _row(state: AlertState, observation: Observation, showing: Showing) -> Alert:
    return Alert(
        alert_id=f"{observation.rule}:{observation.subject}:{state.opened}",
        rule=observation.rule,
        source=state.source,
        subject=observation.subject,
        site_id=observation.site_id,
        device_id=observation.device_id,
        severity=state.severity,
        state=_change(state),
        opened_time=from_micros(state.opened),
        event_time=from_micros(observation.at),
        value=observation.value,
        threshold=observation.threshold,
        unit=observation.unit,
        message=observation.text,
        historical=showing.old,
        notified=not showing.old and not showing.quiet,
        revision=state.revision + 1,
        as_of=showing.now,
    )


def _change(state: AlertState) -> AlertChange:
    if not state.holds:
        return AlertChange.RESOLVED
    return AlertChange.OPENED if state.revision < 0 else AlertChange.UPDATED
