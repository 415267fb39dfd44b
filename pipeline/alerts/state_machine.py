"""From what a rule sees of one subject to the alert's rows: opened, updated, resolved. Pure: state in, state and rows out.

What comes again or out of order changes nothing. At most one alert of a rule is open for a subject. In each cooldown (event time) at most
two rows are given: the first two changes at once, the last one when the cooldown is over. An alert that comes back within the cooldown of
its end is the same alert again. A row is historical, and nobody is told, if what it tells was old when it was seen.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from schemas.envelope import from_micros, micros
from schemas.records import Alert
from schemas.rules import Rule

ROWS_PER_COOLDOWN = 2

_SECOND = 1_000_000
OPENED, UPDATED, RESOLVED = "opened", "updated", "resolved"
SILENT, HEARD = "silent", "heard"
"""The states of silence."""


@dataclass(frozen=True, slots=True)
class Observation:
    """What a rule sees of a subject. `at` (its event time) and `known` (by when it could be known at the earliest) in microseconds."""

    rule: str
    subject: str
    at: int
    revision: int
    """Of results for the same event time the highest counts."""
    known: int
    state: str | None
    """The state of an event or of silence; None where the value decides."""
    value: float | None
    threshold: float | None
    site_id: str | None
    device_id: str | None
    text: str
    """For a person: `Mill Field, soil-01: soil says stress`."""

    @property
    def key(self) -> str:
        return f"{self.rule}:{self.subject}"

    @property
    def order(self) -> tuple[int, int]:
        return self.at, self.revision


@dataclass(frozen=True, slots=True)
class State:
    """Of one rule and subject; times in microseconds."""

    order: tuple[int, int]
    """Of the last observation."""
    holds: bool = False
    """Whether the condition held then."""
    is_open: bool = False
    """Whether the rows say so."""
    opened: int = 0
    ended: int | None = None
    revision: int = -1
    told: bool = False
    """Whether a row of the alert was not historical."""
    shown: Observation | None = None
    """What the last row tells."""
    held: Observation | None = None
    """What the next row will tell when the cooldown is over, and whether it was old when it was seen."""
    held_is_old: bool = False
    since: int | None = None
    """Begin of the cooldown, and the rows given in it."""
    rows: int = 0


@dataclass(frozen=True, slots=True)
class Moment:
    """When it is, and whether anybody is to be told: not in batch mode."""

    now: datetime
    live: bool


def step(rule: Rule, state: State | None, seen: Observation, moment: Moment) -> tuple[State, list[Alert]]:
    """What one observation adds."""
    if state and seen.order <= state.order:
        return state, []
    state, rows = settle(rule, state, seen.at, moment.now) if state else (State(seen.order), [])
    state = replace(state, order=seen.order, holds=_holds(rule, seen, held=state.holds), held=None)
    old = _is_old(rule, seen, moment)
    confirms = state.holds and not state.told and not old
    if state.holds == state.is_open and not (state.is_open and (confirms or _says_more(rule, state, seen))):
        return state, rows
    cool = state.since is None or seen.at >= _cool_at(rule, state.since)
    if not (cool or confirms or (state.holds != state.is_open and state.rows < ROWS_PER_COOLDOWN)):
        return replace(state, held=seen, held_is_old=old), rows
    state, row = _given(rule, state, seen, moment.now, old=old)
    return (replace(state, since=seen.at, rows=1) if cool or confirms else replace(state, rows=state.rows + 1)), [*rows, row]


def settle(rule: Rule, state: State, at: int, now: datetime) -> tuple[State, list[Alert]]:
    """What was held back, if the cooldown is over at that time (microseconds)."""
    due = settles_at(rule, state)
    if state.held is None or due is None or at < due:
        return state, []
    state, row = _given(rule, state, state.held, now, old=state.held_is_old)
    return replace(state, held=None, since=at, rows=1), [row]


def settles_at(rule: Rule, state: State) -> int | None:
    """When to call `settle`, in microseconds; None if nothing is held back."""
    return None if state.held is None or state.since is None else _cool_at(rule, state.since)


def run(rule: Rule, seen: Iterable[Observation], moment: Moment) -> list[Alert]:
    """The rows of everything that was seen of one subject, in any order: batch mode."""
    state: State | None = None
    made: list[Alert] = []
    for one in sorted(seen, key=lambda one: one.order):
        state, rows = step(rule, state, one, moment)
        made += rows
    if state and (due := settles_at(rule, state)) is not None:
        made += settle(rule, state, due, moment.now)[1]
    return made


def _holds(rule: Rule, seen: Observation, *, held: bool) -> bool:
    """Whether the rule's condition holds; once it does, only beyond the hysteresis it does not."""
    slack = rule.hysteresis if held else 0.0
    if rule.below is not None and seen.value is not None:
        return seen.value < rule.below + slack
    if rule.above is not None and seen.value is not None:
        return seen.value > rule.above - slack
    return seen.state == SILENT if rule.source == "silence" else seen.state in rule.opens


def _says_more(rule: Rule, state: State, seen: Observation) -> bool:
    """Whether an open alert got worse, or is in another state that opens it."""
    shown = state.shown
    return shown is not None and (seen.state != shown.state or _is_worse(rule, shown, seen))


def _is_worse(rule: Rule, shown: Observation, seen: Observation) -> bool:
    if shown.value is None or seen.value is None:
        return False
    if rule.below is not None:
        return seen.value < shown.value - rule.hysteresis
    return rule.above is not None and seen.value > shown.value + rule.hysteresis


def _given(rule: Rule, state: State, seen: Observation, now: datetime, *, old: bool) -> tuple[State, Alert]:
    """The row, and the state that knows of it."""
    if state.holds and not state.is_open:
        state = _begun(rule, state, seen)
    historical = old if state.holds else not state.told
    revision = state.revision + 1
    row = _row(rule, state, seen, now, historical=historical)
    ended = None if state.holds else seen.at
    told = state.told or not historical
    return replace(state, is_open=state.holds, ended=ended, revision=revision, told=told, shown=seen), row


def _begun(rule: Rule, state: State, seen: Observation) -> State:
    """A new alert, or the last one again if it ended less than a cooldown ago."""
    if state.ended is not None and seen.at < _cool_at(rule, state.ended):
        return state
    return replace(state, opened=seen.at, revision=-1, told=False)


def _cool_at(rule: Rule, since: int) -> int:
    return since + rule.cooldown_seconds * _SECOND


def _is_old(rule: Rule, seen: Observation, moment: Moment) -> bool:
    return not moment.live or micros(moment.now) - seen.known > rule.historical_seconds * _SECOND


def _row(rule: Rule, state: State, seen: Observation, now: datetime, *, historical: bool) -> Alert:
    return Alert(
        alert_id=f"{rule.name}:{seen.subject}:{state.opened}",
        rule=rule.name,
        source=rule.source,
        subject=seen.subject,
        site_id=seen.site_id,
        device_id=seen.device_id,
        severity=rule.severity,
        state=_state_of(state),
        opened_time=from_micros(state.opened),
        event_time=from_micros(seen.at),
        value=seen.value,
        threshold=seen.threshold,
        message=f"{rule.message}: {seen.text}" if rule.message else seen.text,
        historical=historical,
        revision=state.revision + 1,
        as_of=now,
    )


def _state_of(state: State) -> str:
    if not state.holds:
        return RESOLVED
    return OPENED if state.revision < 0 else UPDATED
