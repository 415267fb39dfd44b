"""Computes irrigation needs on the engine: hours of devices become rows of irrigation_v2, a new revision of a day whenever its row changes.

At least once, in order per site. In batch mode every day has one row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, fields
from datetime import timedelta
from typing import Any

import apache_beam as beam
from apache_beam.coders import BytesCoder
from apache_beam.pvalue import PCollection
from apache_beam.transforms.userstate import ReadModifyWriteRuntimeState, ReadModifyWriteStateSpec

from pipeline.elements import Clock
from pipeline.irrigation.days import HISTORY_DAYS, revise
from pipeline.irrigation.fields import Fields
from pipeline.irrigation.hours import Days, FieldHistory, hour_of, merge
from pipeline.irrigation.probes import CHANNELS
from pipeline.rollup.stats import HourOfDevices
from pipeline.rollup.transform import ENGINE_SLACK, Schedule
from schemas.records import Irrigation
from schemas.registry import OfRegistry, RegistrySource


class Irrigate(beam.PTransform):
    """Makes Irrigation of hours of devices, for the sites that are fields: `rollups.hours | Irrigate(registry, schedule, clock)`."""

    def __init__(self, registry: RegistrySource, schedule: Schedule, clock: Clock) -> None:
        super().__init__()
        self._fields = OfRegistry(registry, Fields)
        self._schedule = schedule
        self._clock = clock

    def expand(self, hours: PCollection[HourOfDevices]) -> PCollection[Irrigation]:
        days = hours | "Hours of fields" >> beam.ParDo(_Hours(self._fields)).with_output_types(tuple[str, Days])
        if self._schedule.streaming:
            return days | "Changes" >> beam.ParDo(_Changes(self._fields, self._schedule, self._clock)).with_output_types(Irrigation)
        merged = days | "Merge" >> beam.CombinePerKey(_MergeDays()).with_output_types(tuple[str, Days])
        return merged | "Days" >> beam.FlatMap(_single_rows, self._fields, self._clock).with_output_types(Irrigation)


def row(irrigation: Irrigation) -> dict[str, Any]:
    """Returns one row of irrigation_v2."""
    values = {field.name: getattr(irrigation, field.name) for field in fields(irrigation)}
    return values | {"probes": [asdict(probe) for probe in irrigation.probes]}


class _Hours(beam.DoFn):
    """Makes (site, its days) of hours of devices, of fields and of what their balance looks at only."""

    def __init__(self, fields: OfRegistry[Fields]) -> None:
        self._fields = fields

    def process(self, hour: HourOfDevices) -> Iterable[tuple[str, Days]]:
        site_id, channel, *_ = hour.key
        wanted = channel in CHANNELS and site_id in self._fields.current()
        return ((site_id, hour_of(hour)),) if wanted else ()


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

    _HISTORY = ReadModifyWriteStateSpec("history", BytesCoder())

    def __init__(self, fields: OfRegistry[Fields], schedule: Schedule, clock: Clock) -> None:
        self._fields = fields
        self._keep = schedule.lateness + ENGINE_SLACK + timedelta(days=HISTORY_DAYS + 1)
        self._clock = clock

    def process(
        self,
        keyed: tuple[str, Days],
        stored: ReadModifyWriteRuntimeState = beam.DoFn.StateParam(_HISTORY),  # type: ignore[assignment]
    ) -> Iterator[Irrigation]:
        (site_id, more), now = keyed, self._clock()
        history = FieldHistory.unpack(stored.read())
        history.forget(now - self._keep)
        yield from revise(self._fields.current(), site_id, history, more, now)
        stored.write(history.pack())


def _single_rows(merged: tuple[str, Days], fields: OfRegistry[Fields], clock: Clock) -> Iterator[Irrigation]:
    site_id, days = merged
    yield from revise(fields.current(), site_id, FieldHistory({}, {}), days, clock())
