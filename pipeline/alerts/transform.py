"""Alerts on the engine: what rules see, keyed by rule and subject, through pipeline.alerts.state_machine; silence, keyed by gateway.

Rows and notices at least once: a retried bundle may repeat them, under the same identity. Streaming keeps a state per rule and subject, and
one per gateway, and lets time pass by real-time timers. Batch mode sorts what was seen of each subject, tells nobody, and knows no silence.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import apache_beam as beam
from apache_beam.coders import PickleCoder
from apache_beam.pvalue import PCollection
from apache_beam.transforms.timeutil import TimeDomain
from apache_beam.transforms.userstate import (
    ReadModifyWriteRuntimeState,
    ReadModifyWriteStateSpec,
    RuntimeTimer,
    TimerSpec,
    on_timer,
)
from apache_beam.utils.timestamp import Timestamp

from pipeline.alerts.liveness import Heard, Liveness, Presence, heard
from pipeline.alerts.observe import Watch
from pipeline.alerts.state_machine import Moment, Observation, run, settle, settles_at, step
from pipeline.elements import Clock, NotificationMessage, RowGroup
from pipeline.rollup.transform import Schedule, WindowResult
from schemas import notification
from schemas.envelope import micros
from schemas.records import Alert, Irrigation
from schemas.registry import Registry
from schemas.rules import Rule

_KEYED = tuple[str, Any]


class AlertInputs(NamedTuple):
    """What alerts are raised from."""

    row_group: PCollection[RowGroup]
    windows: PCollection[WindowResult]
    irrigation: PCollection[Irrigation]


class RaiseAlerts(beam.PTransform):
    """Watched -> Alert."""

    def __init__(self, registry: Registry, schedule: Schedule, clock: Clock) -> None:
        super().__init__()
        self._registry = registry
        self._clock = clock
        self._streaming = schedule.streaming

    def expand(self, watched: AlertInputs) -> PCollection[Alert]:
        seen = self._seen(*watched) | "All that is seen" >> beam.Flatten()
        return seen | "By subject" >> beam.Map(_by_subject).with_output_types(_KEYED) | self._machine()

    def _seen(
        self, row_group: PCollection[RowGroup], windows: PCollection[WindowResult], irrigation: PCollection[Irrigation]
    ) -> tuple[PCollection[Observation], ...]:
        """What no rule watches is no step of the graph."""
        watch = Watch(self._registry)
        seen = [row_group | "See events" >> beam.FlatMap(watch.events)]
        if "site_window" in watch.sources:
            seen.append(windows | "See windows" >> beam.FlatMap(_window, watch, self._clock))
        if "irrigation" in watch.sources:
            seen.append(irrigation | "See irrigation" >> beam.FlatMap(_irrigation, watch, self._clock))
        if "silence" in watch.sources and self._streaming:
            heard_of = row_group | "Hear" >> beam.FlatMap(_heard).with_output_types(_KEYED)
            seen.append(heard_of | "Silence" >> beam.ParDo(_Silence(Liveness(self._registry), self._clock)))
        return tuple(seen)

    def _machine(self) -> beam.PTransform:
        rules = {rule.name: rule for rule in self._registry.rules}
        return "Step" >> beam.ParDo(_Step(rules, self._clock)) if self._streaming else _AtOnce(rules, self._clock)


def notifications(alert: Alert) -> Iterator[NotificationMessage]:
    """The notice of an alert's row, if anybody is to be told of it."""
    if not alert.historical:
        yield NotificationMessage(*notification.encode(alert))


class _Step(beam.DoFn):
    """(rule:subject, observation) -> alerts. What is held back is given by a timer when its cooldown is over."""

    _STATE = ReadModifyWriteStateSpec("alert", PickleCoder())
    _COOL = TimerSpec("cool", TimeDomain.REAL_TIME)

    def __init__(self, rules: dict[str, Rule], clock: Clock) -> None:
        self._rules = rules
        self._clock = clock

    def process(
        self,
        keyed: tuple[str, Observation],
        stored: ReadModifyWriteRuntimeState = beam.DoFn.StateParam(_STATE),  # type: ignore[assignment]
        timer: RuntimeTimer = beam.DoFn.TimerParam(_COOL),  # type: ignore[assignment]
    ) -> Iterator[Alert]:
        seen = keyed[1]
        rule = self._rules[seen.rule]
        state, alerts = step(rule, stored.read(), seen, Moment(self._clock(), live=True))
        stored.write(state)
        self._wake(timer, settles_at(rule, state))
        yield from alerts

    @on_timer(_COOL)
    def cooled(
        self,
        key: str = beam.DoFn.KeyParam,  # type: ignore[assignment]
        stored: ReadModifyWriteRuntimeState = beam.DoFn.StateParam(_STATE),  # type: ignore[assignment]
        timer: RuntimeTimer = beam.DoFn.TimerParam(_COOL),  # type: ignore[assignment]
    ) -> Iterator[Alert]:
        rule = self._rules[key.partition(":")[0]]
        now = self._clock()
        state, alerts = settle(rule, stored.read(), micros(now), now)
        stored.write(state)
        self._wake(timer, settles_at(rule, state))
        yield from alerts

    def _wake(self, timer: RuntimeTimer, due: int | None) -> None:
        if due is not None:
            timer.set(Timestamp(micros=max(due, micros(self._clock()))))


class _AtOnce(beam.PTransform):
    """Batch mode: everything that was seen of a subject, in its order."""

    def __init__(self, rules: dict[str, Rule], clock: Clock) -> None:
        super().__init__()
        self._rules = rules
        self._clock = clock

    def expand(self, keyed: PCollection[tuple[str, Observation]]) -> PCollection[Alert]:
        return keyed | beam.GroupByKey() | "Run" >> beam.FlatMap(_run, self._rules, self._clock)


class _Silence(beam.DoFn):
    """(gateway, Heard) -> observations. A timer looks whether the gateway itself is silent."""

    _STATE = ReadModifyWriteStateSpec("presence", PickleCoder())
    _JUDGE = TimerSpec("judge", TimeDomain.REAL_TIME)

    def __init__(self, liveness: Liveness, clock: Clock) -> None:
        self._liveness = liveness
        self._clock = clock

    def process(
        self,
        keyed: tuple[str, Heard],
        stored: ReadModifyWriteRuntimeState = beam.DoFn.StateParam(_STATE),  # type: ignore[assignment]
        timer: RuntimeTimer = beam.DoFn.TimerParam(_JUDGE),  # type: ignore[assignment]
    ) -> Iterator[Observation]:
        presence = (stored.read() or Presence()).copy()
        yield from self._liveness.hear(presence, keyed[1], micros(self._clock()))
        stored.write(presence)
        self._wake(timer, presence, keyed[0])

    @on_timer(_JUDGE)
    def judge(
        self,
        gateway_id: str = beam.DoFn.KeyParam,  # type: ignore[assignment]
        stored: ReadModifyWriteRuntimeState = beam.DoFn.StateParam(_STATE),  # type: ignore[assignment]
        timer: RuntimeTimer = beam.DoFn.TimerParam(_JUDGE),  # type: ignore[assignment]
    ) -> Iterator[Observation]:
        presence = stored.read().copy()
        yield from self._liveness.judge_gateway(presence, gateway_id, micros(self._clock()))
        stored.write(presence)
        self._wake(timer, presence, gateway_id)

    def _wake(self, timer: RuntimeTimer, presence: Presence, gateway_id: str) -> None:
        due = self._liveness.next_judgement(presence, gateway_id)
        if due is not None:
            timer.set(Timestamp(micros=due))


def _window(result: WindowResult, watch: Watch, clock: Clock) -> Iterator[Observation]:
    key, window, revision, _ = result
    return watch.window(key, window, revision, micros(clock()))


def _irrigation(day: Irrigation, watch: Watch, clock: Clock) -> Iterator[Observation]:
    return watch.irrigation(day, micros(clock()))


def _heard(row_group: RowGroup) -> Iterator[tuple[str, Heard]]:
    return ((told.gateway_id, told) for told in heard(row_group))


def _by_subject(seen: Observation) -> tuple[str, Observation]:
    return seen.key, seen


def _run(keyed: tuple[str, Iterable[Observation]], rules: dict[str, Rule], clock: Clock) -> list[Alert]:
    key, seen = keyed
    return run(rules[key.partition(":")[0]], seen, Moment(clock(), live=False))
