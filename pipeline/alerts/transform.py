"""Runs alerts on the engine: what sources observe, keyed by rule and subject, through the state machine of each rule.

Rows and notifications at least once: a retried bundle may repeat them, under the same identity. Streaming keeps a state per rule and
subject, and a memory per key of a source that has one, and lets time pass by real-time timers. Batch mode sorts what was observed of each
subject, notifies nobody, and knows no silence.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any, NamedTuple

import apache_beam as beam
from apache_beam.coders import BytesCoder, PickleCoder
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

from pipeline.alerts.observation import Observation
from pipeline.alerts.source import AlertSource, AlertSourceWithMemory, Outcome
from pipeline.alerts.sources import SOURCES, SOURCES_WITH_MEMORY, state_machines, watched
from pipeline.alerts.state_machine import ProcessingTime, StateMachine
from pipeline.elements import Clock, NotificationMessage, RowGroup
from pipeline.rollup.stats import WindowResult
from pipeline.rollup.transform import Schedule
from schemas import notification
from schemas.envelope import micros
from schemas.records import Alert, Irrigation
from schemas.registry import OfRegistry, RegistrySource

_KEYED = tuple[str, Any]


class AlertInputs(NamedTuple):
    """Holds what alerts are raised from; a source names the one that it watches."""

    row_groups: PCollection[RowGroup]
    windows: PCollection[WindowResult]
    irrigation: PCollection[Irrigation]


class RaiseAlerts(beam.PTransform):
    """Raises alerts: `alerts = AlertInputs(row_groups, windows, irrigation) | RaiseAlerts(registry, schedule, clock)`."""

    def __init__(self, registry: RegistrySource, schedule: Schedule, clock: Clock) -> None:
        super().__init__()
        self._registry = registry
        self._clock = clock
        self._streaming = schedule.streaming

    def expand(self, inputs: AlertInputs) -> PCollection[Alert]:
        observed = self._observed(inputs) | "All that is observed" >> beam.Flatten()
        return observed | "By subject" >> beam.Map(_by_subject).with_output_types(_KEYED) | self._state_machines()

    def _observed(self, inputs: AlertInputs) -> tuple[PCollection[Observation], ...]:
        """Observes the inputs. Every source is a step, whatever the rules say now: the graph is the same when they change."""
        observed = [_input(inputs, kind) | _label(kind) >> beam.ParDo(_Observe(self._watched(kind), self._clock)) for kind in SOURCES]
        if self._streaming:
            observed += [
                _input(inputs, kind) | _label(kind) >> _Remember(kind, self._watched(kind), self._clock) for kind in SOURCES_WITH_MEMORY
            ]
        return tuple(observed)

    def _watched(self, kind: Any) -> OfRegistry[Any]:
        return OfRegistry(self._registry, partial(watched, kind))

    def _state_machines(self) -> beam.PTransform:
        machines = OfRegistry(self._registry, state_machines)
        return "Step" >> beam.ParDo(_Step(machines, self._clock)) if self._streaming else _Run(machines, self._clock)


def notifications(alert: Alert) -> Iterator[NotificationMessage]:
    """Yields the notification of an alert's row, if anybody is to be notified of it."""
    if not alert.historical:
        yield NotificationMessage(*notification.encode(alert))


class _Observe(beam.DoFn):
    """Makes observations of elements of a source's input."""

    def __init__(self, source: OfRegistry[AlertSource | None], clock: Clock) -> None:
        self._source = source
        self._clock = clock

    def process(self, element: Any) -> Iterable[Observation]:
        source = self._source.current()
        return source.observe(element, micros(self._clock())) if source else ()


class _Remember(beam.PTransform):
    """Makes observations of elements of a source's input, by its memories, one after the other."""

    def __init__(self, kind: type[AlertSourceWithMemory], source: OfRegistry[AlertSourceWithMemory | None], clock: Clock) -> None:
        super().__init__()
        self.kind = kind
        self._source = source
        self._clock = clock

    def expand(self, elements: PCollection[Any]) -> PCollection[Observation]:
        reports = elements | "Reports" >> beam.FlatMap(_reports, self._source).with_output_types(_KEYED)
        observed = []
        for name in self.kind.MEMORIES:
            found = reports | f"Memory of {name}" >> beam.ParDo(_Memory(self._source, name, self._clock))
            observed.append(found | f"Observed of {name}" >> beam.FlatMap(_observations))
            reports = found | f"Reports of {name}" >> beam.FlatMap(_reports_found).with_output_types(_KEYED)
        return tuple(observed) | beam.Flatten()


class _Memory(beam.DoFn):
    """Finds what follows from (key, report), by one memory of a source. A timer looks what follows from the time that passes."""

    _STATE = ReadModifyWriteStateSpec("memory", BytesCoder())
    _WAKE = TimerSpec("wake", TimeDomain.REAL_TIME)

    def __init__(self, source: OfRegistry[AlertSourceWithMemory | None], name: str, clock: Clock) -> None:
        self._source = source
        self._name = name
        self._clock = clock

    def process(
        self,
        keyed: tuple[str, Any],
        stored: ReadModifyWriteRuntimeState = beam.DoFn.StateParam(_STATE),  # type: ignore[assignment]
        timer: RuntimeTimer = beam.DoFn.TimerParam(_WAKE),  # type: ignore[assignment]
    ) -> Iterable[Any]:
        key, report = keyed
        now = micros(self._clock())
        if source := self._source.current():
            return self._found(stored, timer, source.memory(self._name).on_report(stored.read(), key, report, now), now)
        return ()

    @on_timer(_WAKE)
    def on_wake(
        self,
        key: str = beam.DoFn.KeyParam,  # type: ignore[assignment]
        stored: ReadModifyWriteRuntimeState = beam.DoFn.StateParam(_STATE),  # type: ignore[assignment]
        timer: RuntimeTimer = beam.DoFn.TimerParam(_WAKE),  # type: ignore[assignment]
    ) -> Iterable[Any]:
        now = micros(self._clock())
        if source := self._source.current():
            return self._found(stored, timer, source.memory(self._name).on_timer(stored.read(), key, now), now)
        return ()

    def _found(self, stored: ReadModifyWriteRuntimeState, timer: RuntimeTimer, outcome: Outcome, now: int) -> Iterable[Any]:
        if outcome.state is None:
            stored.clear()
        else:
            stored.write(outcome.state)
        if outcome.timer is not None:
            timer.set(Timestamp(micros=max(outcome.timer, now)))
        return outcome.found


class _Step(beam.DoFn):
    """Makes alerts of (rule:subject, observation). What is pending becomes a row by a timer when its cooldown is over."""

    _STATE = ReadModifyWriteStateSpec("alert", PickleCoder())
    _COOL = TimerSpec("cool", TimeDomain.REAL_TIME)

    def __init__(self, machines: OfRegistry[dict[str, StateMachine]], clock: Clock) -> None:
        self._machines = machines
        self._clock = clock

    def process(
        self,
        keyed: tuple[str, Observation],
        stored: ReadModifyWriteRuntimeState = beam.DoFn.StateParam(_STATE),  # type: ignore[assignment]
        timer: RuntimeTimer = beam.DoFn.TimerParam(_COOL),  # type: ignore[assignment]
    ) -> Iterator[Alert]:
        observation = keyed[1]
        machine = self._machines.current().get(observation.rule)
        if machine is None:
            return  # the rule was taken out of the registry after it observed this
        state, alerts = machine.step(stored.read(), observation, ProcessingTime(self._clock(), live=True))
        stored.write(state)
        self._wake(timer, machine.settles_at(state))
        yield from alerts

    @on_timer(_COOL)
    def cooled(
        self,
        key: str = beam.DoFn.KeyParam,  # type: ignore[assignment]
        stored: ReadModifyWriteRuntimeState = beam.DoFn.StateParam(_STATE),  # type: ignore[assignment]
        timer: RuntimeTimer = beam.DoFn.TimerParam(_COOL),  # type: ignore[assignment]
    ) -> Iterator[Alert]:
        machine = self._machines.current().get(_rule_of(key))
        if machine is None:
            return
        now = self._clock()
        state, alerts = machine.settle(stored.read(), micros(now), now)
        stored.write(state)
        self._wake(timer, machine.settles_at(state))
        yield from alerts

    def _wake(self, timer: RuntimeTimer, due: int | None) -> None:
        if due is not None:
            timer.set(Timestamp(micros=max(due, micros(self._clock()))))


class _Run(beam.PTransform):
    """Makes alerts in batch mode, of everything that was observed of a subject, in its order."""

    def __init__(self, machines: OfRegistry[dict[str, StateMachine]], clock: Clock) -> None:
        super().__init__()
        self._machines = machines
        self._clock = clock

    def expand(self, keyed: PCollection[tuple[str, Observation]]) -> PCollection[Alert]:
        return keyed | beam.GroupByKey() | "Run" >> beam.FlatMap(_run, self._machines, self._clock)


def _input(inputs: AlertInputs, source: type[AlertSource | AlertSourceWithMemory]) -> PCollection[Any]:
    return inputs._asdict()[source.INPUT]


def _label(source: type[AlertSource | AlertSourceWithMemory]) -> str:
    """Returns a label such as `Observe EventSource`."""
    return f"Observe {source.__name__}"


def _reports(element: Any, source: OfRegistry[AlertSourceWithMemory | None]) -> Iterable[_KEYED]:
    current = source.current()
    return current.reports(element) if current else ()


def _observations(found: Any) -> Iterator[Observation]:
    if isinstance(found, Observation):
        yield found


def _reports_found(found: Any) -> Iterator[_KEYED]:
    if not isinstance(found, Observation):
        yield found


def _by_subject(observation: Observation) -> tuple[str, Observation]:
    return observation.key, observation


def _rule_of(key: str) -> str:
    return key.partition(":")[0]


def _run(keyed: tuple[str, Iterable[Observation]], machines: OfRegistry[dict[str, StateMachine]], clock: Clock) -> list[Alert]:
    key, observations = keyed
    machine = machines.current().get(_rule_of(key))
    return [] if machine is None else machine.run(observations, ProcessingTime(clock(), live=False))
