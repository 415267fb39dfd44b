"""Runs alerts on the engine: what sources observe, keyed by rule and subject, through the state machine of each rule.

Rows and notifications at least once: a retried bundle may repeat them, under the same identity. Streaming keeps a state per rule and
subject, a memory per gateway of what came late, and one per key of a source that remembers, and lets time pass by real-time timers; it
goes on with the alerts that the warehouse has as open. Batch mode sorts what was observed of each subject, notifies nobody, and knows no
silence.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import apache_beam as beam
from apache_beam.coders import BytesCoder
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

from pipeline.alerts import subject
from pipeline.alerts.in_force import RulesInForce
from pipeline.alerts.observation import GatewayWord, Observation, OpenAlert
from pipeline.alerts.source import RESULTS, AlertSource, AlertSourceWithMemory, Outcome
from pipeline.alerts.sources import SOURCES, SOURCES_WITH_MEMORY, watched
from pipeline.elements import Clock, NotificationMessage, RowGroup, TableRows
from pipeline.rollup.stats import HourOfDevices, WindowResult
from pipeline.rollup.transform import Schedule
from pipeline.transforms.follow_alerts import FollowAlerts
from pipeline.transforms.hear_words import Heard, HearWords
from schemas import notification
from schemas.envelope import micros
from schemas.records import Alert, Irrigation
from schemas.registry import OfRegistry, RegistrySource

_KEYED = tuple[str, Any]


class AlertInputs(NamedTuple):
    """Holds what alerts are raised from; a source names the one that it watches."""

    row_groups: PCollection[RowGroup]
    windows: PCollection[WindowResult]
    hours: PCollection[HourOfDevices]
    irrigation: PCollection[Irrigation]
    rejects: PCollection[TableRows]


class RaiseAlerts(beam.PTransform):
    """Raises alerts: `alerts = AlertInputs(row_groups, windows, hours, irrigation, rejects) | RaiseAlerts(registry, schedule, clock)`."""

    def __init__(self, registry: RegistrySource, schedule: Schedule, clock: Clock, open_alerts: Sequence[Alert] = ()) -> None:
        super().__init__()
        self._registry = registry
        self._clock = clock
        self._streaming = schedule.streaming
        self._open_alerts = tuple(open_alerts)

    def expand(self, inputs: AlertInputs) -> PCollection[Alert]:
        by_kind = self._observed(inputs)
        observed = tuple(by_kind.values()) | "All that is observed" >> beam.Flatten()
        if not self._streaming:
            return self._run(observed)
        of_results = tuple(each for kind, each in by_kind.items() if kind.INPUT in RESULTS) | "Of results" >> beam.Flatten()
        return self._follow(Heard(observed, of_results, inputs.row_groups))

    def _follow(self, heard: Heard) -> PCollection[Alert]:
        words = heard | "Hear words" >> HearWords(self._clock)
        # no Create: its steps depend on how many there are
        before = words.pipeline | "Start" >> beam.Impulse() | "Open before" >> beam.FlatMap(_each_open, self._open_alerts)
        everything = (heard.observed, words, before) | "All that counts" >> beam.Flatten()
        keyed = everything | "By subject" >> beam.Map(_keyed).with_output_types(_KEYED)
        return keyed | "Follow" >> beam.ParDo(FollowAlerts(OfRegistry(self._registry, RulesInForce), self._clock))

    def _run(self, observed: PCollection[Observation]) -> PCollection[Alert]:
        grouped = observed | "By subject" >> beam.Map(_keyed).with_output_types(_KEYED) | beam.GroupByKey()
        return grouped | "Run" >> beam.FlatMap(_run, OfRegistry(self._registry, RulesInForce), self._clock)

    def _observed(self, inputs: AlertInputs) -> dict[type[AlertSource | AlertSourceWithMemory], PCollection[Observation]]:
        """Observes the inputs. Every source is a step, whatever the rules say now: the graph is the same when they change."""
        observed: dict[type[AlertSource | AlertSourceWithMemory], PCollection[Observation]] = {
            kind: _input(inputs, kind) | _label(kind) >> beam.ParDo(_Observe(self._watched(kind), self._clock)) for kind in SOURCES
        }
        for kind in SOURCES_WITH_MEMORY if self._streaming else ():
            observed[kind] = _input(inputs, kind) | _label(kind) >> _Remember(kind, self._watched(kind), self._clock)
        return observed

    def _watched(self, kind: Any) -> OfRegistry[Any]:
        return OfRegistry(self._registry, partial(watched, kind))


def notifications(alert: Alert) -> Iterator[NotificationMessage]:
    """Yields the notification of an alert's row, if anybody is to be notified of it."""
    if alert.notified:
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


def _each_open(start: bytes, alerts: Sequence[Alert]) -> Iterator[OpenAlert]:
    return map(OpenAlert, alerts)


def _keyed(reached: Observation | GatewayWord | OpenAlert) -> tuple[str, Observation | GatewayWord | OpenAlert]:
    return reached.key, reached


def _run(keyed: tuple[str, Iterable[Observation]], rules: OfRegistry[RulesInForce], clock: Clock) -> list[Alert]:
    key, observations = keyed
    return rules.current().complete(subject.run(rules.current(), key, observations, clock()))
