"""Takes over an alert that the warehouse has as open, for a pipeline that starts without what its predecessor remembered. Pure."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from pipeline.alerts import rows
from pipeline.alerts.in_force import RulesInForce
from pipeline.alerts.observation import Observation
from pipeline.alerts.state import AlertState
from schemas.envelope import micros
from schemas.records import Alert

_LAST_REVISION = 2**62
"""What lasts is observed once for each change, so that of its time there is nothing more to come."""


def adopt(rules: RulesInForce, state: AlertState | None, alert: Alert, now: datetime) -> tuple[AlertState, list[Alert]]:
    """Goes on with the alert, as far as nothing newer is known; ends it if what came first after the start says that it is over."""
    known = _state_of(rules, alert)
    if state is None:
        return known, []
    if state.opened == known.opened and state.revision >= 0:
        return state, []  # it is this very alert: the pipeline was updated, not started anew
    if state.revision < 0 and (state.order < known.order or state.holds):
        return replace(known, order=max(state.order, known.order), backlog=state.backlog, backlog_due=state.backlog_due), []
    at = max(state.order[0], known.order[0])
    why = "it goes on as a newer alert" if state.is_open else "by what came first after the pipeline was started anew"
    return state, rows.ended(known, at, why, rows.Showing(now, quiet=state.is_open))[1]


def _state_of(rules: RulesInForce, alert: Alert) -> AlertState:
    at, notified, machine = micros(alert.event_time), not alert.historical, rules.machine(alert.rule)
    return AlertState(
        order=(at, _LAST_REVISION if machine and machine.condition.lasts else -1),
        met_since=micros(alert.opened_time),
        holds=True,
        last=_observation(alert),
        last_is_old=not notified,
        is_open=True,
        opened=micros(alert.opened_time),
        revision=alert.revision,
        notified=notified,
        known=notified,
        source=alert.source,
        severity=alert.severity,
        shown=_observation(alert),
        cooldown_start=at,
        cooldown_rows=1,
    )


def _observation(alert: Alert) -> Observation:
    return Observation(
        rule=alert.rule,
        subject=alert.subject,
        at=micros(alert.event_time),
        known_at=micros(alert.event_time),
        value=alert.value,
        threshold=alert.threshold,
        unit=alert.unit,
        site_id=alert.site_id,
        device_id=alert.device_id,
        text=alert.message,
    )
