"""Takes over an alert that the warehouse has as open, for a pipeline that starts without what its predecessor remembered. Pure."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from pipeline.alerts import rows
from pipeline.alerts.in_force import RulesInForce
from pipeline.alerts.observation import Observation
from pipeline.alerts.state import AlertState
from schemas.envelope import micros
from schemas.records import Alert, AlertChange

_LAST_REVISION = 2**62
"""What lasts is observed once for each change, so that of its time there is nothing more to come."""


def adopt(rules: RulesInForce, state: AlertState | None, alert: Alert, now: datetime) -> tuple[AlertState, list[Alert]]:
    """Goes on with the alert, as far as nothing newer is known; ends it if what came first after the start says that it is over."""
    known = state_of(rules, alert)
    if state is None:
        return known, []
    if state.opened == known.opened and state.revision >= 0:
        return state, []  # it is this very alert: the pipeline was updated, not started anew
    if state.revision < 0 and (state.order < known.order or state.holds):
        return replace(known, order=max(state.order, known.order), backlog=state.backlog, backlog_due=state.backlog_due), []
    # The row of an alert that another took the place of is of no later event than that of the other, which is the one that is open.
    at = state.shown.at if state.is_open and state.shown else max(state.order[0], known.order[0])
    why = "it goes on as a newer alert" if state.is_open else "by what came first after the pipeline was started anew"
    return state, rows.ended(known, at, why, rows.Showing(now, quiet=state.is_open))[1]


def state_of(rules: RulesInForce, alert: Alert) -> AlertState:
    """Returns the state as of a row of an alert, as far as the row tells it."""
    at, notified, machine = micros(alert.event_time), not alert.historical, rules.machine(alert.rule)
    is_open = alert.state != AlertChange.RESOLVED
    return AlertState(
        order=(at, _LAST_REVISION if machine and machine.condition.lasts else -1),
        met_since=micros(alert.opened_time) if is_open else None,
        holds=is_open,
        last=_observation(alert) if is_open else None,
        last_is_old=is_open and not notified,
        is_open=is_open,
        opened=micros(alert.opened_time),
        ended=None if is_open else at,
        revision=alert.revision,
        notified=notified,
        known=is_open and notified,
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
