"""Computes irrigation needs on the engine: rolled-up hours become rows of irrigation_v1, a new revision of a day whenever its row changes.

At least once, in order per site. In batch mode every day has one row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta

import apache_beam as beam
from apache_beam.coders import PickleCoder
from apache_beam.pvalue import PCollection
from apache_beam.transforms.userstate import ReadModifyWriteRuntimeState, ReadModifyWriteStateSpec

from pipeline.elements import Clock
from pipeline.irrigation.days import LOOK_BACK_DAYS, Days, FieldHistory, Fields, hour_of, merge, revise
from pipeline.rollup.stats import WindowResult
from pipeline.rollup.transform import ENGINE_SLACK, Schedule
from schemas.records import Irrigation
from schemas.registry import OfRegistry, RegistrySource


class Irrigate(beam.PTransform):
    """Makes Irrigation of rolled-up windows, for the sites that are fields: `windows | Irrigate(registry, schedule, clock)`."""

    def __init__(self, registry: RegistrySource, schedule: Schedule, clock: Clock) -> None:
        super().__init__()
        self._fields = OfRegistry(registry, Fields)
        self._schedule = schedule
        self._clock = clock

    def expand(self, windows: PCollection[WindowResult]) -> PCollection[Irrigation]:
        hours = windows | "Hours of fields" >> beam.ParDo(_Hours(self._fields)).with_output_types(tuple[str, Days])
        if self._schedule.streaming:
            return hours | "Changes" >> beam.ParDo(_Changes(self._fields, self._schedule, self._clock)).with_output_types(Irrigation)
        merged = hours | "Merge" >> beam.CombinePerKey(_MergeDays()).with_output_types(tuple[str, Days])
        return merged | "Days" >> beam.FlatMap(_single_rows, self._fields, self._clock).with_output_types(Irrigation)


class _Hours(beam.DoFn):
    """Makes (site, its days) of windows, of fields only."""

    def __init__(self, fields: OfRegistry[Fields]) -> None:
        self._fields = fields

    def process(self, result: WindowResult) -> Iterable[tuple[str, Days]]:
        key, window, revision, _ = result
        hour = hour_of(key, window, revision) if key.site_id in self._fields.current() else None
        return (hour,) if hour else ()


class _MergeDays(beam.CombineFn):
    def create_accumulator(self) -> Days:
        return {}

    def add_input(self, accumulator: Days, days: Days) -> Days:
        return merge(accumulator, days)

    def merge_accumulators(self, accumulators: Iterable[Days]) -> Days:
        merged: Days = {}
        for accumulator in accumulators:
            merged = merge(merged, accumulator)
        return merged

    def extract_output(self, accumulator: Days) -> Days:
        return accumulator


class _Changes(beam.DoFn):
    """Remembers the hours of a site for as long as they may change, and emits the rows that an hour changed."""

    _HISTORY = ReadModifyWriteStateSpec("history", PickleCoder())

    def __init__(self, fields: OfRegistry[Fields], schedule: Schedule, clock: Clock) -> None:
        self._fields = fields
        self._keep = schedule.lateness + ENGINE_SLACK + timedelta(days=LOOK_BACK_DAYS + 1)
        self._clock = clock

    def process(
        self,
        keyed: tuple[str, Days],
        stored: ReadModifyWriteRuntimeState = beam.DoFn.StateParam(_HISTORY),  # type: ignore[assignment]
    ) -> Iterator[Irrigation]:
        (site_id, more), now = keyed, self._clock()
        history = FieldHistory(*(stored.read() or ({}, {})))
        history.forget(now - self._keep)
        yield from revise(self._fields.current(), site_id, history, more, now)
        stored.write(tuple(history))


def _single_rows(merged: tuple[str, Days], fields: OfRegistry[Fields], clock: Clock) -> Iterator[Irrigation]:
    site_id, days = merged
    yield from revise(fields.current(), site_id, FieldHistory({}, {}), days, clock())
