"""Runs rollups on the engine: one-hour windows of event time, minutes inside; early, on-time and late results as revisions.

Nothing is dropped: a row that is too late for its hour marks the hour dirty instead, and the engine waits longer than that rule,
so that it never gets to drop one. In batch mode nothing is late, and every window has one result.
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

from pipeline.elements import Clock, RowGroup, TableRows
from pipeline.facts import rows_of
from pipeline.rollup.stats import HOUR, Cells, Key, Stats, WindowResult, merge_cells, partials, row, split_late, windows
from pipeline.transforms.collect import Collect
from schemas.records import DirtyWindow, Kind, SiteWindow, Timing

ENGINE_SLACK = timedelta(days=1)
"""How much longer the engine keeps a window than rows are let into it."""

_KEYED = tuple[tuple[str, str, str, int], Any]
"""Key and cells as Beam's coders see them: the key is encoded the same on every worker, and comes back as a plain tuple."""

_DIRTY = "dirty"
_TIMINGS = {PaneInfoTiming.EARLY: Timing.EARLY, PaneInfoTiming.ON_TIME: Timing.ON_TIME, PaneInfoTiming.LATE: Timing.LATE}


@dataclass(frozen=True, slots=True)
class Schedule:
    """Says when a window has results."""

    streaming: bool
    early_seconds: int = 60
    lateness: timedelta = timedelta(days=7)


class RollupResults(NamedTuple):
    """Holds rows of site_windows_v1 and dirty_windows_v1, and the results of windows for the steps that go on with them."""

    rows: PCollection[TableRows]
    windows: PCollection[WindowResult]


class RollUp(beam.PTransform):
    """Rolls up summaries with their sites; other kinds add nothing: `rollups = row_groups | RollUp(schedule, clock)`."""

    def __init__(self, schedule: Schedule, clock: Clock) -> None:
        super().__init__()
        self._schedule = schedule
        self._clock = clock

    def expand(self, row_groups: PCollection[RowGroup]) -> RollupResults:
        summaries = row_groups | "Summaries" >> beam.Filter(_of_summaries)
        outputs = summaries | "Partials" >> beam.ParDo(_Partials(self._schedule, self._clock)).with_output_types(_KEYED).with_outputs(
            _DIRTY, main="cells"
        )
        results = outputs.cells | "Windows" >> (_RevisedResults(self._schedule) if self._schedule.streaming else _SingleResults())
        rows = (outputs[_DIRTY], results | "Rows" >> beam.ParDo(Collect(SiteWindow, partial(_row, self._clock)))) | beam.Flatten()
        return RollupResults(rows, results)


class _Partials(beam.DoFn):
    """Makes (key, cells) of summaries with their sites; the hours of rows that are too late become dirty windows."""

    def __init__(self, schedule: Schedule, clock: Clock) -> None:
        self._schedule = schedule
        self._clock = clock

    def process(self, row_group: RowGroup) -> Iterator[Any]:
        if self._schedule.streaming:
            row_group, dirty = split_late(row_group, self._schedule.lateness, self._clock())
            if dirty:
                yield TaggedOutput(_DIRTY, rows_of(DirtyWindow, dirty))
        yield from partials(row_group)


class _SingleResults(beam.PTransform):
    """Merges in batch mode: the hour is in the key, so the engine needs no windows of its own (a trigger costs 0.35 ms a window)."""

    def expand(self, cells: PCollection[tuple[Key, Cells]]) -> PCollection[WindowResult]:
        return cells | "Merge" >> beam.CombinePerKey(_MergeCells()) | beam.FlatMap(_single_results)


class _RevisedResults(beam.PTransform):
    def __init__(self, schedule: Schedule) -> None:
        super().__init__()
        self._schedule = schedule

    def expand(self, cells: PCollection[tuple[Key, Cells]]) -> PCollection[WindowResult]:
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
    """Lets through the minutes that changed since the last result, and their hour; a change is a summary more, never a rounding."""

    _RESULTS = ReadModifyWriteStateSpec("results", PickleCoder())

    def process(
        self,
        merged: tuple[Key, Cells],
        stored: ReadModifyWriteRuntimeState = beam.DoFn.StateParam(_RESULTS),  # type: ignore[assignment]
        pane: PaneInfo = beam.DoFn.PaneInfoParam,  # type: ignore[assignment]
    ) -> Iterator[WindowResult]:
        key, cells = Key(*merged[0]), merged[1]
        latest: dict[tuple[int, int], tuple[int, int]] = stored.read() or {}
        for window in windows(key, cells):
            summaries, revision = latest.get(window[:2], (0, -1))
            if window[2].summaries != summaries:
                latest[window[:2]] = window[2].summaries, revision + 1
                yield key, window, revision + 1, _TIMINGS.get(pane.timing, Timing.ON_TIME)
        stored.write(latest)


def _row(clock: Clock, result: WindowResult) -> dict[str, Any]:
    return row(*result, clock())


def _of_summaries(row_group: RowGroup) -> bool:
    return row_group.kind == Kind.SUMMARIES


def _at_its_hour(keyed: tuple[Key, Cells]) -> TimestampedValue:
    return TimestampedValue(keyed, Key(*keyed[0]).hour)


def _single_results(merged: tuple[Key, Cells]) -> Iterator[WindowResult]:
    key, cells = Key(*merged[0]), merged[1]
    return ((key, window, 0, Timing.BATCH) for window in windows(key, cells))
