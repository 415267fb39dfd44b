"""Takes what reaches one rule and subject, by the registry in force. Pure: state in, state and rows out."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from pipeline.alerts import adoption, rows
from pipeline.alerts.in_force import RulesInForce
from pipeline.alerts.observation import GatewayWord, Observation, OpenAlert
from pipeline.alerts.state import AlertState
from schemas.envelope import micros
from schemas.records import Alert

Stepped = tuple[AlertState | None, list[Alert]]


def take(rules: RulesInForce, key: str, state: AlertState | None, reached: Observation | GatewayWord | OpenAlert, now: datetime) -> Stepped:
    """Takes an observation, a gateway's word, or an alert that the warehouse has as open. What no rule asks for closes what is open."""
    if isinstance(reached, OpenAlert):
        state, added = adoption.adopt(rules, state, reached.alert, now)
        closed, more = look(rules, key, state, now)
        return closed, added + more
    machine = rules.machine(_rule_of(key))
    if machine is None:
        return look(rules, key, state, now)
    if isinstance(reached, GatewayWord):
        return machine.word(state, reached.complete, now)
    return machine.step(state, reached, now)


def wake(rules: RulesInForce, key: str, state: AlertState | None, now: datetime) -> Stepped:
    """Does what is due."""
    machine = rules.machine(_rule_of(key))
    return machine.wake(state, now) if machine and state else look(rules, key, state, now)


def look(rules: RulesInForce, key: str, state: AlertState | None, now: datetime) -> Stepped:
    """Closes an open alert that nothing will resolve."""
    reason = rules.reason_to_close(_rule_of(key), state, now) if state else None
    return rows.ended(state, micros(now), reason, rows.Showing(now)) if state and reason else (state, [])


def run(rules: RulesInForce, key: str, observations: Iterable[Observation], now: datetime) -> list[Alert]:
    """Returns the rows of everything that was observed, in any order: batch mode."""
    machine = rules.machine(_rule_of(key))
    return machine.run(observations, now) if machine else []


def wakes_at(rules: RulesInForce, key: str, state: AlertState) -> int | None:
    machine = rules.machine(_rule_of(key))
    return machine.wakes_at(state) if machine else None


def _rule_of(key: str) -> str:
    return key.partition(":")[0]
