"""Runs the state machine of a rule and subject on the engine. The logic is in pipeline/alerts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import apache_beam as beam
from apache_beam.coders import BytesCoder
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
from pipeline.alerts.state import ALERT, AlertState
from pipeline.elements import Clock
from schemas.envelope import micros
from schemas.records import Alert
from schemas.registry import OfRegistry

LOOK_EVERY = timedelta(minutes=5) // timedelta(microseconds=1)
"""How often an open alert is held against the registry."""


class FollowAlerts(beam.DoFn):
    """Makes alerts of (rule:subject, what reached it). Timers do what is due, and close what nothing will resolve."""

    _STATE = ReadModifyWriteStateSpec("alert", BytesCoder())
    _WAKE = TimerSpec("wake", TimeDomain.REAL_TIME)
    _LOOK = TimerSpec("look", TimeDomain.REAL_TIME)

    def __init__(self, rules: OfRegistry[RulesInForce], clock: Clock) -> None:
        self._rules = rules
        self._clock = clock

    def process(
        self,
        keyed: tuple[str, Observation | GatewayWord | OpenAlert],
        stored: ReadModifyWriteRuntimeState = beam.DoFn.StateParam(_STATE),  # type: ignore[assignment]
        wake: RuntimeTimer = beam.DoFn.TimerParam(_WAKE),  # type: ignore[assignment]
        look: RuntimeTimer = beam.DoFn.TimerParam(_LOOK),  # type: ignore[assignment]
    ) -> Iterator[Alert]:
        key, reached = keyed
        state, alerts = subject.take(self._rules.current(), key, ALERT.unpack(stored.read()), reached, self._clock())
        self._store(key, state, stored, wake, look)
        yield from self._rules.current().complete(alerts)

    @on_timer(_WAKE)
    def on_wake(
        self,
        key: str = beam.DoFn.KeyParam,  # type: ignore[assignment]
        stored: ReadModifyWriteRuntimeState = beam.DoFn.StateParam(_STATE),  # type: ignore[assignment]
        wake: RuntimeTimer = beam.DoFn.TimerParam(_WAKE),  # type: ignore[assignment]
        look: RuntimeTimer = beam.DoFn.TimerParam(_LOOK),  # type: ignore[assignment]
    ) -> Iterator[Alert]:
        state, alerts = subject.wake(self._rules.current(), key, ALERT.unpack(stored.read()), self._clock())
        self._store(key, state, stored, wake, look)
        yield from self._rules.current().complete(alerts)

    @on_timer(_LOOK)
    def on_look(
        self,
        key: str = beam.DoFn.KeyParam,  # type: ignore[assignment]
        stored: ReadModifyWriteRuntimeState = beam.DoFn.StateParam(_STATE),  # type: ignore[assignment]
        wake: RuntimeTimer = beam.DoFn.TimerParam(_WAKE),  # type: ignore[assignment]
        look: RuntimeTimer = beam.DoFn.TimerParam(_LOOK),  # type: ignore[assignment]
    ) -> Iterator[Alert]:
        state, alerts = subject.look(self._rules.current(), key, ALERT.unpack(stored.read()), self._clock())
        self._store(key, state, stored, wake, look)
        yield from self._rules.current().complete(alerts)

    def _store(
        self, key: str, state: AlertState | None, stored: ReadModifyWriteRuntimeState, wake: RuntimeTimer, look: RuntimeTimer
    ) -> None:
        if state is None:
            return
        stored.write(ALERT.pack(state))
        now = micros(self._clock())
        due = subject.wakes_at(self._rules.current(), key, state)
        if due is not None:
            wake.set(Timestamp(micros=max(due, now)))
        if state.is_open:
            look.set(Timestamp(micros=now + LOOK_EVERY))
