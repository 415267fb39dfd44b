"""Rollups on the engine: one-hour windows of event time, minutes inside; early, on-time and late results as revisions.

Nothing is dropped: a row that is too late for its hour marks the hour dirty instead, and the engine waits longer than that rule,
so that it never gets to drop one. In batch mode nothing is late, and every window is given once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, NamedTuple

import apache_beam as beam
from apache_beam.coders import PickleCoder
from apache_beam.pvalue import PCollection, TaggedOutput
from apache_beam.transforms.trigger import AccumulationMode, AfterCount, AfterProcessingTime, AfterWatermark
from apache_beam.transforms.userstate import ReadModifyWriteRuntimeState, ReadModifyWriteStateSpec
from apache_beam.transforms.window import FixedWindows, GlobalWindows, TimestampedValue
from apache_beam.utils.windowed_value import PaneInfo, PaneInfoTiming

from pipeline.elements import Clock, RowGroup, Rows
from pipeline.facts import rows_of
from pipeline.rollup.stats import HOUR, Cells, Key, Stats, merge_cells, partials, row, split_late, windows
from pipeline.transforms import Collect
from schemas.records import DirtyWindow, SiteWindow

ENGINE_SLACK = timedelta(days=1)
"""How much longer the engine keeps a window than rows are let into it."""

Emitted = tuple[Key, tuple[int, int, Stats], int, str]
"""A window as it is given: key, (seconds, start, statistics), revision, timing."""

_KEYED = tuple[tuple[str, str, str, int], Any]
"""Key and cells as Beam's coders see them: the key is encoded the same on every worker, and comes back as a plain tuple."""

_DIRTY = "dirty"
_TIMINGS = {PaneInfoTiming.EARLY: "early", PaneInfoTiming.ON_TIME: "on_time", PaneInfoTiming.LATE: "late"}


@dataclass(frozen=True, slots=True)
class Schedule:
    """When results are given."""

    streaming: bool
    early_seconds: int = 60
    lateness: timedelta = timedelta(days=7)


class Rolled(NamedTuple):
    """What rolling up gives: rows of site_windows_v1 and dirty_windows_v1, and the same windows for the steps that go on with them."""

    rows: PCollection[Rows]
    windows: PCollection[Emitted]


class RollUp(beam.PTransform):
    """Placed summaries -> Rolled; rows of other kinds -> nothing."""

    def __init__(self, schedule: Schedule, clock: Clock) -> None:
        super().__init__()
        self._schedule = schedule
        self._clock = clock

    def expand(self, placed: PCollection[RowGroup]) -> Rolled:
        summaries = placed | "Summaries" >> beam.Filter(_is_summaries)
        split = summaries | "Reduce" >> beam.ParDo(_Reduce(self._schedule, self._clock)).with_output_types(_KEYED).with_outputs(
            _DIRTY, main="cells"
        )
        emitted = split.cells | "Windows" >> (_Revised(self._schedule) if self._schedule.streaming else _Once())
        rows = (split[_DIRTY], emitted | "Rows" >> beam.ParDo(Collect(SiteWindow, partial(_row, self._clock)))) | beam.Flatten()
        return Rolled(rows, emitted)


class _Reduce(beam.DoFn):
    """Placed summaries -> (key, cells); rows that are too late -> their hours as dirty windows."""

    def __init__(self, schedule: Schedule, clock: Clock) -> None:
        self._schedule = schedule
        self._clock = clock

    def process(self, placed: RowGroup) -> Iterator[Any]:
        if self._schedule.streaming:
            placed, dirty = split_late(placed, self._schedule.lateness, self._clock())
            if dirty:
                yield TaggedOutput(_DIRTY, rows_of(DirtyWindow, dirty))
        yield from partials(placed)


class _Once(beam.PTransform):
    """Batch mode: the hour is in the key already, so the engine needs no windows of its own (a trigger costs 0.35 ms a window)."""

    def expand(self, cells: PCollection[tuple[Key, Cells]]) -> PCollection[Emitted]:
        return cells | "Merge" >> beam.CombinePerKey(_MergeCells()) | beam.FlatMap(_once)


class _Revised(beam.PTransform):
    def __init__(self, schedule: Schedule) -> None:
        super().__init__()
        self._schedule = schedule

    def expand(self, cells: PCollection[tuple[Key, Cells]]) -> PCollection[Emitted]:
        early = AfterProcessingTime(self._schedule.early_seconds)
        hours = beam.WindowInto(
            FixedWindows(HOUR),
            trigger=AfterWatermark(early=early, late=AfterCount(1)),
            accumulation_mode=AccumulationMode.ACCUMULATING,
            allowed_lateness=(self._schedule.lateness + ENGINE_SLACK).total_seconds(),
        )
        merged = (
            cells
            | "At event time" >> beam.Map(_at_its_hour).with_output_types(_KEYED)
            | hours
            | "Merge" >> beam.CombinePerKey(_MergeCells())
        )
        return merged | "Changes" >> beam.ParDo(_Changes()) | "Forget hours" >> beam.WindowInto(GlobalWindows())


class _MergeCells(beam.CombineFn):
    def create_accumulator(self) -> dict[int, Stats]:
        return {}

    def add_input(self, accumulator: dict[int, Stats], cells: Cells) -> dict[int, Stats]:
        return merge_cells(accumulator, cells)

    def merge_accumulators(self, accumulators: Iterable[dict[int, Stats]]) -> dict[int, Stats]:
        merged: dict[int, Stats] = {}
        for accumulator in accumulators:
            merged = merge_cells(merged, accumulator)
        return merged

    def extract_output(self, accumulator: dict[int, Stats]) -> dict[int, Stats]:
        return dict(accumulator)


class _Changes(beam.DoFn):
    """Gives the minutes that changed since the last result, and their hour; a change is a summary more, never a rounding."""

    _GIVEN = ReadModifyWriteStateSpec("given", PickleCoder())

    def process(
        self,
        merged: tuple[Key, Cells],
        given: ReadModifyWriteRuntimeState = beam.DoFn.StateParam(_GIVEN),  # type: ignore[assignment]
        pane: PaneInfo = beam.DoFn.PaneInfoParam,  # type: ignore[assignment]
    ) -> Iterator[Emitted]:
        key, cells = Key(*merged[0]), merged[1]
        before: dict[tuple[int, int], tuple[int, int]] = given.read() or {}
        for window in windows(key, cells):
            summaries, revision = before.get(window[:2], (0, -1))
            if window[2].summaries != summaries:
                before[window[:2]] = window[2].summaries, revision + 1
                yield key, window, revision + 1, _TIMINGS.get(pane.timing, "on_time")
        given.write(before)


def _row(clock: Clock, emitted: Emitted) -> dict[str, Any]:
    return row(*emitted, clock())


def _is_summaries(placed: RowGroup) -> bool:
    return placed.kind == "summaries"


def _at_its_hour(keyed: tuple[Key, Cells]) -> TimestampedValue:
    return TimestampedValue(keyed, Key(*keyed[0]).hour)


def _once(merged: tuple[Key, Cells]) -> Iterator[Emitted]:
    key, cells = Key(*merged[0]), merged[1]
    return ((key, window, 0, "batch") for window in windows(key, cells))
