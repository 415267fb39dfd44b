"""Runs the memories of the silence of one registry as the engine does: states as bytes, timers that fire when they are due."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pipeline.alerts.observation import Observation
from pipeline.alerts.sources.silence import SilenceSource
from pipeline.elements import RowGroup
from schemas.envelope import from_micros, micros
from schemas.registry import Registry
from schemas.rules.silence import SilenceRule
from tests.pipeline.bodies import NOW


class Engine:
    """Usage: `engine.hear(row_group, now)`, `engine.wait(until)`; then `engine.observed`, or `(rule, subject, state, minutes)` of them."""

    def __init__(self, rules: tuple[SilenceRule, ...], registry: Registry) -> None:
        self.use(rules, registry)
        self.states: dict[tuple[str, str], bytes] = {}
        self.timers: dict[tuple[str, str], int] = {}
        self.observed: list[Observation] = []
        self.observed_at: list[int] = []
        self.now = 0

    def use(self, rules: tuple[SilenceRule, ...], registry: Registry) -> None:
        """Goes on with another registry."""
        self.source = SilenceSource(rules, registry)

    def hear(self, row_group: RowGroup, now: datetime) -> None:
        self.wait(now)
        for key, report in self.source.reports(row_group):
            self.report("gateways", key, report)

    def wait(self, until: datetime, *, asleep: bool = False) -> None:
        """Lets time pass; a pipeline that is asleep does not see timers before the end."""
        end = micros(until)
        while due := [(at, step) for step, at in self.timers.items() if at <= end]:
            at, step = min(due)
            self.now = max(self.now, end if asleep else at)
            self._wake(*step)
        self.now = max(self.now, end)

    def sleep(self, until: datetime) -> None:
        self.wait(until, asleep=True)

    def of(self, state: str) -> list[tuple[str, str, float]]:
        return [(each.rule, each.subject, minutes_of(each)) for each in self.observed if each.state == state]

    def _wake(self, name: str, key: str) -> None:
        del self.timers[name, key]
        self._follow(name, key, self.source.memory(name).on_timer(self.states.get((name, key)), key, self.now))

    def report(self, name: str, key: str, report: Any) -> None:
        self._follow(name, key, self.source.memory(name).on_report(self.states.get((name, key)), key, report, self.now))

    def _follow(self, name: str, key: str, outcome: Any) -> None:
        if outcome.state is None:
            self.states.pop((name, key), None)
        else:
            self.states[name, key] = outcome.state
        if outcome.timer is not None:
            self.timers[name, key] = max(outcome.timer, self.now)
        for found in outcome.found:
            if isinstance(found, Observation):
                self.observed.append(found)
                self.observed_at.append(self.now)
            else:
                self.report("devices", *found)


def minutes_of(observation: Observation) -> float:
    return (from_micros(observation.at) - NOW).total_seconds() / 60
