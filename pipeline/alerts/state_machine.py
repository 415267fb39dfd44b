"""Makes an alert's rows of what is observed of one subject: opened, updated, resolved. Pure: state in, state and rows out.

What comes again or out of order changes nothing. At most one alert of a rule is open for a subject. In each cooldown (event time) there are
at most two rows: the first two changes at once, the last one when the cooldown is over. An alert that comes back within the cooldown of
its end is the same alert again. A row is historical, and nobody is notified, if what it shows was old when it was observed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from pipeline.alerts.condition import Condition
from pipeline.alerts.observation import Observation
from schemas.envelope import from_micros, micros
from schemas.records import Alert, AlertChange
from schemas.rules import Rule

ROWS_PER_COOLDOWN = 2

_SECOND = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertState:
    """Is the state of one rule and subject; times in microseconds since 1970."""

    order: tuple[int, int]
    """Of the last observation."""
    holds: bool = False
    """Whether the condition held then."""
    is_open: bool = False
    """Whether the rows say so."""
    opened: int = 0
    ended: int | None = None
    revision: int = -1
    notified: bool = False
    """Whether a row of the alert was not historical."""
    shown: Observation | None = None
    """What the last row shows."""
    pending: Observation | None = None
    """What the next row will show when the cooldown is over, and whether it was old when it was observed."""
    pending_is_old: bool = False
    cooldown_start: int | None = None
    cooldown_rows: int = 0


@dataclass(frozen=True, slots=True)
class ProcessingTime:
    """Says when an observation is looked at, and whether anybody is to be notified: not in batch mode."""

    now: datetime
    live: bool


class StateMachine:
    """Makes the alerts of one rule: `state, rows = machine.step(state, observation, time)`, with a state for each subject."""

    def __init__(self, rule: Rule, condition: Condition) -> None:
        self._rule = rule
        self._condition = condition

    def step(self, state: AlertState | None, observation: Observation, time: ProcessingTime) -> tuple[AlertState, list[Alert]]:
        """Takes one observation; returns the new state and the rows it adds."""
        if state and observation.order <= state.order:
            return state, []
        state, rows = self.settle(state, observation.at, time.now) if state else (AlertState(order=observation.order), [])
        holds = self._condition.holds(observation, before=state.holds)
        state = replace(state, order=observation.order, holds=holds, pending=None)
        old = self._is_old(observation, time)
        confirms = state.holds and not state.notified and not old
        if state.holds == state.is_open and not (state.is_open and (confirms or self._worsens(state, observation))):
            return state, rows
        cool = state.cooldown_start is None or observation.at >= self._cooled_at(state.cooldown_start)
        if not (cool or confirms or (state.holds != state.is_open and state.cooldown_rows < ROWS_PER_COOLDOWN)):
            return replace(state, pending=observation, pending_is_old=old), rows
        state, row = self._shown(state, observation, time.now, old=old)
        if cool or confirms:
            state = replace(state, cooldown_start=observation.at, cooldown_rows=0)
        return replace(state, cooldown_rows=state.cooldown_rows + 1), [*rows, row]

    def settle(self, state: AlertState, at: int, now: datetime) -> tuple[AlertState, list[Alert]]:
        """Shows what is pending, if the cooldown is over at that time (microseconds)."""
        due = self.settles_at(state)
        if state.pending is None or due is None or at < due:
            return state, []
        state, row = self._shown(state, state.pending, now, old=state.pending_is_old)
        return replace(state, pending=None, cooldown_start=at, cooldown_rows=1), [row]

    def settles_at(self, state: AlertState) -> int | None:
        """Returns when to call `settle`, in microseconds; None if nothing is pending."""
        return None if state.pending is None or state.cooldown_start is None else self._cooled_at(state.cooldown_start)

    def run(self, observations: Iterable[Observation], time: ProcessingTime) -> list[Alert]:
        """Returns the rows of everything that was observed of one subject, in any order: batch mode."""
        state: AlertState | None = None
        rows: list[Alert] = []
        for observation in sorted(observations, key=lambda observation: observation.order):
            state, more = self.step(state, observation, time)
            rows += more
        if state and (due := self.settles_at(state)) is not None:
            rows += self.settle(state, due, time.now)[1]
        return rows

    def _worsens(self, state: AlertState, observation: Observation) -> bool:
        return state.shown is not None and self._condition.worsens(state.shown, observation)

    def _shown(self, state: AlertState, observation: Observation, now: datetime, *, old: bool) -> tuple[AlertState, Alert]:
        """Returns the state that knows of the row, and the row."""
        if state.holds and not state.is_open:
            state = self._begun(state, observation)
        historical = old if state.holds else not state.notified
        revision = state.revision + 1
        row = self._row(state, observation, now, historical=historical)
        ended = None if state.holds else observation.at
        notified = state.notified or not historical
        return replace(state, is_open=state.holds, ended=ended, revision=revision, notified=notified, shown=observation), row

    def _begun(self, state: AlertState, observation: Observation) -> AlertState:
        """Begins a new alert, or the last one again if it ended less than a cooldown ago."""
        if state.ended is not None and observation.at < self._cooled_at(state.ended):
            return state
        return replace(state, opened=observation.at, revision=-1, notified=False)

    def _cooled_at(self, start: int) -> int:
        return start + self._rule.cooldown_seconds * _SECOND

    def _is_old(self, observation: Observation, time: ProcessingTime) -> bool:
        return not time.live or micros(time.now) - observation.known_at > self._rule.historical_seconds * _SECOND

    def _row(self, state: AlertState, observation: Observation, now: datetime, *, historical: bool) -> Alert:
        rule = self._rule
        return Alert(
            alert_id=f"{rule.name}:{observation.subject}:{state.opened}",
            rule=rule.name,
            source=rule.source,
            subject=observation.subject,
            site_id=observation.site_id,
            device_id=observation.device_id,
            severity=rule.severity,
            state=_change(state),
            opened_time=from_micros(state.opened),
            event_time=from_micros(observation.at),
            value=observation.value,
            threshold=observation.threshold,
            message=f"{rule.message}: {observation.text}" if rule.message else observation.text,
            historical=historical,
            revision=state.revision + 1,
            as_of=now,
        )


def _change(state: AlertState) -> AlertChange:
    if not state.holds:
        return AlertChange.RESOLVED
    return AlertChange.OPENED if state.revision < 0 else AlertChange.UPDATED
