"""Passes gateways' words on to the alerts that wait for them. The logic is in pipeline/alerts/awaited_words.py."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

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

from pipeline.alerts.awaited_words import AWAITED_WORDS, AwaitedWords, Late, completions, hear, late, pass_on
from pipeline.alerts.observation import GatewayWord, Observation
from pipeline.elements import Clock, RowGroup
from schemas.envelope import micros

_KEYED = tuple[str, Late | int]


class HearWords(beam.PTransform):
    """Hears heartbeats, for what was observed late: `words = (observed, row_groups) | HearWords(clock)`."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def expand(self, inputs: tuple[PCollection[Observation], PCollection[RowGroup]]) -> PCollection[GatewayWord]:
        observed, row_groups = inputs
        awaited = observed | "Late" >> beam.FlatMap(_late, self._clock).with_output_types(_KEYED)
        heard = row_groups | "Completions" >> beam.FlatMap(completions).with_output_types(_KEYED)
        return (awaited, heard) | beam.Flatten() | "Words" >> beam.ParDo(_Words(self._clock))


class _Words(beam.DoFn):
    _STATE = ReadModifyWriteStateSpec("awaited", BytesCoder())
    _PASS_ON = TimerSpec("pass_on", TimeDomain.REAL_TIME)

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def process(
        self,
        keyed: tuple[str, Late | int],
        stored: ReadModifyWriteRuntimeState = beam.DoFn.StateParam(_STATE),  # type: ignore[assignment]
        timer: RuntimeTimer = beam.DoFn.TimerParam(_PASS_ON),  # type: ignore[assignment]
    ) -> Iterable[GatewayWord]:
        report = keyed[1]
        known = AWAITED_WORDS.unpack(stored.read())
        if known is None and not isinstance(report, Late):
            return ()  # nothing of this gateway waits
        memory = hear(known or AwaitedWords(), report, micros(self._clock()))
        stored.write(AWAITED_WORDS.pack(memory))
        if memory.due is not None:
            timer.set(Timestamp(micros=memory.due))
        return ()

    @on_timer(_PASS_ON)
    def pass_on(
        self,
        stored: ReadModifyWriteRuntimeState = beam.DoFn.StateParam(_STATE),  # type: ignore[assignment]
    ) -> Iterator[GatewayWord]:
        memory, words = pass_on(AWAITED_WORDS.unpack(stored.read()) or AwaitedWords(), micros(self._clock()))
        if memory.late:
            stored.write(AWAITED_WORDS.pack(memory))
        else:
            stored.clear()
        yield from words


def _late(observation: Observation, clock: Clock) -> Iterator[tuple[str, Late]]:
    return late(observation, micros(clock()))
