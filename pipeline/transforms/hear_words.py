"""Passes gateways' words on to the alerts that wait for them. The logic is in pipeline/alerts/awaited_words.py."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

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

from pipeline.alerts import awaited_words
from pipeline.alerts.awaited_words import AWAITED_WORDS, OF_GATEWAY, OF_SITE, AwaitedWords, Late, Settling
from pipeline.alerts.observation import GatewayWord, Observation
from pipeline.elements import Clock, RowGroup
from schemas.envelope import micros

_KEYED = tuple[str, Late | int]


class Heard(NamedTuple):
    """Holds what words are for: all that is observed, of that what is observed of results, and rows with their sites."""

    observed: PCollection[Observation]
    of_results: PCollection[Observation]
    row_groups: PCollection[RowGroup]


class HearWords(beam.PTransform):
    """Hears heartbeats, for what was observed late: `words = Heard(observed, of_results, row_groups) | HearWords(clock)`."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def expand(self, heard: Heard) -> PCollection[GatewayWord]:
        words = self._of_gateways(heard)
        of_sites = words | "Of sites" >> beam.FlatMap(_of_site).with_output_types(_KEYED)
        late = heard.of_results | "Late results" >> beam.FlatMap(_late_results, self._clock).with_output_types(_KEYED)
        of_results = (late, of_sites) | "At sites" >> beam.Flatten() | "Words at sites" >> beam.ParDo(_Words(self._clock, OF_SITE))
        return (words | "Of rules" >> beam.Filter(_is_of_rule), of_results) | "All words" >> beam.Flatten()

    def _of_gateways(self, heard: Heard) -> PCollection[GatewayWord]:
        late = heard.observed | "Late" >> beam.FlatMap(_late, self._clock).with_output_types(_KEYED)
        late_sites = heard.row_groups | "Late summaries" >> beam.FlatMap(_late_summaries, self._clock).with_output_types(_KEYED)
        said = heard.row_groups | "Completions" >> beam.FlatMap(awaited_words.completions).with_output_types(_KEYED)
        return (late, late_sites, said) | beam.Flatten() | "Words" >> beam.ParDo(_Words(self._clock, OF_GATEWAY))


class _Words(beam.DoFn):
    _STATE = ReadModifyWriteStateSpec("awaited", BytesCoder())
    _PASS_ON = TimerSpec("pass_on", TimeDomain.REAL_TIME)

    def __init__(self, clock: Clock, settling: Settling) -> None:
        self._clock = clock
        self._settling = settling

    def process(
        self,
        keyed: tuple[str, Late | int],
        stored: ReadModifyWriteRuntimeState = beam.DoFn.StateParam(_STATE),  # type: ignore[assignment]
        timer: RuntimeTimer = beam.DoFn.TimerParam(_PASS_ON),  # type: ignore[assignment]
    ) -> Iterable[GatewayWord]:
        known = AWAITED_WORDS.unpack(stored.read()) or AwaitedWords()
        memory = awaited_words.hear(known, keyed[1], micros(self._clock()), self._settling)
        stored.write(AWAITED_WORDS.pack(memory))
        if memory.due is not None:
            timer.set(Timestamp(micros=memory.due))
        return ()

    @on_timer(_PASS_ON)
    def pass_on(
        self,
        stored: ReadModifyWriteRuntimeState = beam.DoFn.StateParam(_STATE),  # type: ignore[assignment]
    ) -> Iterator[GatewayWord]:
        known = AWAITED_WORDS.unpack(stored.read()) or AwaitedWords()
        memory, words = awaited_words.pass_on(known, micros(self._clock()), self._settling)
        stored.write(AWAITED_WORDS.pack(memory))
        yield from words


def _late(observation: Observation, clock: Clock) -> Iterator[tuple[str, Late]]:
    return awaited_words.late(observation, micros(clock()))


def _late_results(observation: Observation, clock: Clock) -> Iterator[tuple[str, Late]]:
    return awaited_words.late_results(observation, micros(clock()))


def _late_summaries(row_group: RowGroup, clock: Clock) -> Iterator[tuple[str, Late]]:
    return awaited_words.late_summaries(row_group, micros(clock()))


def _of_site(word: GatewayWord) -> Iterator[tuple[str, int]]:
    site_id = awaited_words.site_of(word)
    if site_id is not None:
        yield site_id, word.complete


def _is_of_rule(word: GatewayWord) -> bool:
    return awaited_words.site_of(word) is None
