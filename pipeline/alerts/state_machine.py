"""Makes an alert's rows of what is observed of one subject: opened, updated, resolved. Pure: state in, state and rows out.

What comes again changes nothing, and at most one alert of a rule is open for a subject. What comes late waits to be put in order, and
notifies nobody by itself: people are notified of what holds at the edge of what is known, when something fresh or the gateway's word
says so, and of no more than that. In each cooldown (event time) people are notified of at most two rows: the first two changes at once,
the last one when the cooldown is over. An alert that comes back within the cooldown of its end is the same alert again.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from msgspec.structs import replace

from pipeline.alerts import history, rows
from pipeline.alerts.condition import Condition
from pipeline.alerts.observation import Observation
from pipeline.alerts.state import AlertState
from schemas.envelope import micros
from schemas.records import Alert
from schemas.rules import Rule

ROWS_PER_COOLDOWN = 2
MOST_WAITING = 50
"""How many late observations wait at most; more of them are history at once."""

_SECOND = 1_000_000
_MINUTE = timedelta(minutes=1) // timedelta(microseconds=1)
PROMPT = 3 * _MINUTE // 2
"""What is known later than this comes from backlog, if its gateway says when everything is delivered; else later than PROMPT_RESULT."""
PROMPT_RESULT = 5 * _MINUTE
"""Results of rollups take their time: the gateway's window and batch, and the engine's early results."""
PATIENCE = 2 * _MINUTE
"""How long late results wait for others, if they are young enough to notify people without a gateway's word."""
PATIENCE_FOR_WORD = 15 * _MINUTE
"""How long late observations wait for their gateway's word before they are history."""

Stepped = tuple[AlertState, list[Alert]]


class StateMachine:
    """Makes the alerts of one rule: `state, rows = machine.step(state, observation, time)`, with a state for each subject.

    After each call `wakes_at` says when to call `wake`. `word` takes a gateway's word that everything up to a time is delivered.
    """

    def __init__(self, rule: Rule, condition: Condition) -> None:
        self.rule = rule
        self.condition = condition
        self._cooldown = rule.cooldown_seconds * _SECOND
        self._lasting = rule.for_seconds * _SECOND

    def step(self, state: AlertState | None, observation: Observation, now: datetime) -> Stepped:
        """Takes one observation; returns the new state and the rows it adds."""
        state = state or AlertState()
        if micros(now) - observation.known_at > (PROMPT if observation.gateway_id else PROMPT_RESULT):
            return self._wait(state, observation, now)
        state, before = self._put_in_order(state, now, until=observation)
        state, added = self._take(state, observation, now, old=False)
        return state, before + added

    def word(self, state: AlertState | None, complete: int, now: datetime) -> Stepped:
        """Takes the gateway's word: what is known now lasted until `complete` (microseconds)."""
        state = state or AlertState()
        is_beyond = bool(state.backlog) and state.backlog[-1].at > complete
        if is_beyond or micros(now) - complete > self.rule.historical_seconds * _SECOND:
            return state, []
        state, before = self._put_in_order(state, now, notify=True)
        last = state.last
        if last is None or not state.last_is_old:
            return state, before
        state = replace(state, last_is_old=False)
        state, added = self._follow(state, last, now, old=False) if state.holds else (state, [])
        return state, before + added

    def wake(self, state: AlertState, now: datetime) -> Stepped:
        """Does what is due at a time: late observations become history, a condition has held for long enough, a cooldown is over."""
        before: list[Alert] = []
        if state.backlog_due is not None and micros(now) >= state.backlog_due:
            last = state.backlog[-1]
            state, before = self._put_in_order(state, now, notify=self._needs_no_word(last, now))
        state, added = self._bring_up_to(state, micros(now), now)
        return state, before + added

    def wakes_at(self, state: AlertState) -> int | None:
        """Returns when to call `wake`, in microseconds; None if nothing will be due."""
        return min((due for due in (state.backlog_due, self._settles_at(state), self._matures_at(state)) if due is not None), default=None)

    def run(self, observations: Iterable[Observation], now: datetime, state: AlertState | None = None) -> list[Alert]:
        """Returns the rows of everything that was observed of one subject, in any order: batch mode. `state` is that of before."""
        state, made = state or AlertState(), []
        for observation in sorted(observations, key=_order):
            state, added = self._take(state, observation, now, old=True)
            made += added
        state, added = self._bring_up_to(state, micros(now), now)
        settles_at = self._settles_at(state)
        return made + added + (self._bring_up_to(state, settles_at, now)[1] if settles_at else [])

    def _wait(self, state: AlertState, observation: Observation, now: datetime) -> Stepped:
        """Lets a late observation wait for others of its time."""
        if observation.order == state.order or observation.order in map(_order, state.backlog):
            return state, []
        patience = PATIENCE if self._needs_no_word(observation, now) else PATIENCE_FOR_WORD
        due = micros(now) + patience
        due = due if state.backlog_due is None else min(due, state.backlog_due)
        state = replace(state, backlog=tuple(sorted((*state.backlog, observation), key=_order)), backlog_due=due)
        return self._put_in_order(state, now) if len(state.backlog) > MOST_WAITING else (state, [])

    def _needs_no_word(self, observation: Observation, now: datetime) -> bool:
        """Tells whether nobody gives a word for it alone, and it is young enough to be worth notifying people of without."""
        return not observation.gateway_id and micros(now) - observation.known_at <= self.rule.historical_seconds * _SECOND

    def _put_in_order(self, state: AlertState, now: datetime, *, until: Observation | None = None, notify: bool = False) -> Stepped:
        """Takes what waits from before an observation, or all. `notify`: what holds after the last of it is worth notifying people."""
        ready = [each for each in state.backlog if until is None or each.order < until.order]
        if not ready:
            return state, []
        rest = state.backlog[len(ready) :]
        state, made = self._came_and_went(replace(state, backlog=rest, backlog_due=state.backlog_due if rest else None), ready, now)
        newer = [each for each in ready if each.order > state.order]
        for each in newer[-1:] if state.known else newer:  # that an alert that people know of went and came back is no news
            state, added = self._take(state, each, now, old=not notify or each is not newer[-1])
            made += added
        return state, made

    def _came_and_went(self, state: AlertState, ready: list[Observation], now: datetime) -> Stepped:
        """Writes the alerts that are over among what is older than the last observation."""
        made: list[Alert] = []
        for begun, ended in history.closed_runs(self.condition, [each for each in ready if each.order < state.order], self._lasting):
            span = begun.at, ended.at
            if history.is_free(span, state.spans) and not (state.is_open and span[1] > state.opened):
                state = replace(state, spans=history.with_spans(state.spans, (span,)))
                made += rows.came_and_went(self.rule, begun, ended, now)
        return state, made

    def _take(self, state: AlertState, observation: Observation, now: datetime, *, old: bool) -> Stepped:
        """Takes an observation in its order; what is older than the last one changes nothing."""
        if observation.order <= state.order:
            return state, []
        state, before = self._bring_up_to(state, observation.at, now)
        met = self.condition.holds(observation, before=state.met_since is not None)
        since = (observation.at if state.met_since is None else state.met_since) if met else None
        holds = since is not None and (state.holds or observation.at - since >= self._lasting)
        last, last_is_old = (observation, old) if met else (None, False)
        state = replace(state, order=observation.order, met_since=since, holds=holds, last=last, last_is_old=last_is_old, pending=None)
        state, added = self._follow(state, observation, now, old=old)
        return state, before + added

    def _bring_up_to(self, state: AlertState, at: int, now: datetime) -> Stepped:
        """Does what is due by an event time: the condition has held for long enough, the cooldown of what is pending is over."""
        made: list[Alert] = []
        due = self._matures_at(state)
        if due is not None and due <= at and state.last:
            state, made = self._follow(replace(state, holds=True), replace(state.last, at=due), now, old=state.last_is_old)
        due, pending, old = self._settles_at(state), state.pending, state.pending_is_old
        if due is not None and due <= at and pending:
            quiet = self._is_quiet(state, pending, old=old)
            state, added = self._show(replace(state, pending=None), pending, now, old=old)
            made += added
            state = state if quiet else replace(state, cooldown_start=at, cooldown_rows=1)
        return state, made

    def _matures_at(self, state: AlertState) -> int | None:
        if state.holds or state.met_since is None or not self.condition.lasts:
            return None
        return state.met_since + self._lasting

    def _settles_at(self, state: AlertState) -> int | None:
        if state.pending is None or state.cooldown_start is None:
            return None
        quiet = self._is_quiet(state, state.pending, old=state.pending_is_old)
        return (state.shown.at if quiet and state.shown else state.cooldown_start) + self._cooldown

    def _follow(self, state: AlertState, observation: Observation, now: datetime, *, old: bool) -> Stepped:
        """Shows what changed, at once or when the cooldown is over."""
        changed = state.holds != state.is_open or (state.holds and not state.known and not old)
        if not (changed or self._differs(state, observation)):
            return state, []
        if self._is_quiet(state, observation, old=old):
            due = state.shown is None or observation.at >= state.shown.at + self._cooldown
        else:
            allowed = changed and state.cooldown_rows < ROWS_PER_COOLDOWN
            due = allowed or _is_urgent(state, old=old) or self._is_cool(state, observation)
        if not due:
            return replace(state, pending=observation, pending_is_old=old), []
        return self._show(state, observation, now, old=old)

    def _show(self, state: AlertState, observation: Observation, now: datetime, *, old: bool) -> Stepped:
        """Adds a row. One that only brings the alert up to date notifies nobody, and is none of those that a cooldown allows."""
        if self._is_quiet(state, observation, old=old):
            return rows.shown(self.rule, state, observation, rows.Showing(now, old=old, quiet=True))
        if self._is_cool(state, observation) or _is_urgent(state, old=old):
            state = replace(state, cooldown_start=observation.at, cooldown_rows=0)
        if state.holds and not state.is_open and (state.ended is None or observation.at >= state.ended + self._cooldown):
            state = replace(state, opened=observation.at, revision=-1, notified=False)
        state = replace(state, cooldown_rows=state.cooldown_rows + 1)
        return rows.shown(self.rule, state, observation, rows.Showing(now, old=old))

    def _is_cool(self, state: AlertState, observation: Observation) -> bool:
        return state.cooldown_start is None or observation.at >= state.cooldown_start + self._cooldown

    def _differs(self, state: AlertState, observation: Observation) -> bool:
        worsens, improves = self.condition.worsens, self.condition.improves
        return state.is_open and state.shown is not None and (worsens(state.shown, observation) or improves(state.shown, observation))

    def _is_quiet(self, state: AlertState, observation: Observation, *, old: bool) -> bool:
        """Tells whether a row would only bring the alert up to date: people know that it is open, and it is not worse."""
        if not (state.holds and state.is_open and state.shown and (state.known or old)):
            return False
        return not self.condition.worsens(state.shown, observation)


def _is_urgent(state: AlertState, *, old: bool) -> bool:
    """Tells whether nobody was notified of the alert that holds, and it is time that they were."""
    return state.holds and not state.notified and not old


def _order(observation: Observation) -> tuple[int, int]:
    return observation.order
