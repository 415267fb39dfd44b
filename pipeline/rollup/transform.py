"""Runs rollups on the engine: one-hour windows of event time, minutes inside; early, on-time and late results as revisions.

Nothing is dropped: every hour of a site that got facts is marked, so that it can be computed anew from them; a row that is too late for its
hour is a fact and no part of the rollup, and the engine waits longer than that rule, so that it never gets to drop one. In batch mode
nothing is late, and every window has one result. Between workers, and as state, summaries travel as versioned bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, NamedTuple

import apache_beam as beam
from apache_beam.coders import BytesCoder, Coder, ListCoder
from apache_beam.pvalue import PCollection, TaggedOutput
from apache_beam.transforms.trigger import AccumulationMode, AfterCount, AfterProcessingTime, AfterWatermark
from apache_beam.transforms.userstate import ReadModifyWriteRuntimeState, ReadModifyWriteStateSpec
from apache_beam.transforms.window import FixedWindows, GlobalWindows, TimestampedValue
from apache_beam.utils.windowed_value import PaneInfo, PaneInfoTiming

from pipeline.elements import Clock, RowGroup, TableRows
from pipeline.rollup.marks import SiteHour, in_time, is_due, mark, site_hours
from pipeline.rollup.partials import Partials, merge, partials
from pipeline.rollup.results import results
from pipeline.rollup.stats import HOUR, HourOfDevices, Key, WindowResult, row
from pipeline.state import StateFormat
from pipeline.transforms.collect import Collect
from schemas.records import DirtyWindow, Kind, SiteWindow, Timing

ENGINE_SLACK = timedelta(days=1)
"""How much longer the engine keeps a window than rows are let into it."""

RESULTS = StateFormat("window_results", 1, tuple[tuple[int, int, int, int], ...])
"""Holds (seconds, start, summaries, revision) of the latest result of each window of an hour."""

MARKED = StateFormat("marked_hours", 1, dict[int, int])
"""Holds when hours of a site were marked, both in seconds since 1970."""

_KEYED = tuple[tuple[str, str, str, int], bytes]
"""Key and packed partial summaries as Beam's coders see them: encoded the same on every worker; a key comes back as a plain tuple."""

_SITE_HOUR = tuple[tuple[str, int], str]
_SITE = tuple[str, tuple[int, str]]

_AT_ONCE = 64
"""How many packed partial summaries wait until they are merged."""

_HOURS, _MARKS, _WINDOWS = "hours", "marks", "windows"
_TIMINGS = {PaneInfoTiming.EARLY: Timing.EARLY, PaneInfoTiming.ON_TIME: Timing.ON_TIME, PaneInfoTiming.LATE: Timing.LATE}


@dataclass(frozen=True, slots=True)
class Schedule:
    """Says when a window has results."""

    streaming: bool
    early_seconds: int = 60
    lateness: timedelta = timedelta(days=7)


class RollupResults(NamedTuple):
    """Holds, by name, rows of site_windows_v1 and dirty_windows_v1, and for the steps that go on with them windows, without those that are
    retracted, and what each device measured in the hours that changed.
    """

    rows: dict[str, PCollection[TableRows]]
    windows: PCollection[WindowResult]
    hours: PCollection[HourOfDevices]


class RollUp(beam.PTransform):
    """Rolls up summaries with their sites; other kinds add nothing: `rollups = row_groups | RollUp(schedule, clock)`."""

    def __init__(self, schedule: Schedule, clock: Clock) -> None:
        super().__init__()
        self._schedule = schedule
        self._clock = clock

    def expand(self, row_groups: PCollection[RowGroup]) -> RollupResults:
        summaries = row_groups | "Summaries" >> beam.Filter(_of_summaries)
        outputs = summaries | "Partials" >> beam.ParDo(_Partials(self._schedule, self._clock)).with_output_types(_KEYED).with_outputs(
            _MARKS, main="partials"
        )
        found = outputs.partials | "Windows" >> (_RevisedResults(self._schedule) if self._schedule.streaming else _SingleResults())
        rows = found.results | "Rows" >> beam.ParDo(Collect(SiteWindow, partial(_row, self._clock)))
        marks = outputs[_MARKS] | "Marks" >> _Marks(self._schedule, self._clock)
        return RollupResults({"Site windows": rows, "Dirty windows": marks}, found.windows, found.hours)


class _Partials(beam.DoFn):
    """Makes (key, packed partial summaries) of summaries with their sites, and marks of all hours that they are of."""

    def __init__(self, schedule: Schedule, clock: Clock) -> None:
        self._schedule = schedule
        self._clock = clock

    def process(self, row_group: RowGroup) -> Iterator[Any]:
        yield from (TaggedOutput(_MARKS, marked) for marked in site_hours(row_group))
        if self._schedule.streaming:
            row_group = in_time(row_group, self._schedule.lateness, self._clock())
        yield from ((key, heard.pack()) for key, heard in partials(row_group))


class _Results(NamedTuple):
    """Holds results of all windows, again those that have values, and hours: outputs of one step, for the engine would store a Flatten."""

    results: PCollection[WindowResult]
    windows: PCollection[WindowResult]
    hours: PCollection[HourOfDevices]


class _SingleResults(beam.PTransform):
    """Merges in batch mode: the hour is in the key, so the engine needs no windows of its own (a trigger costs 0.35 ms a window)."""

    def expand(self, packed: PCollection[tuple[Key, bytes]]) -> _Results:
        merged = packed | "Merge" >> beam.CombinePerKey(_MergePartials())
        return _Results(*(merged | beam.FlatMap(_single_results).with_outputs(_WINDOWS, _HOURS, main="results")))


class _RevisedResults(beam.PTransform):
    def __init__(self, schedule: Schedule) -> None:
        super().__init__()
        self._schedule = schedule

    def expand(self, packed: PCollection[tuple[Key, bytes]]) -> _Results:
        early = AfterProcessingTime(self._schedule.early_seconds)
        hours = beam.WindowInto(
            FixedWindows(HOUR),
            trigger=AfterWatermark(early=early, late=AfterCount(1)),
            accumulation_mode=AccumulationMode.ACCUMULATING,
            allowed_lateness=(self._schedule.lateness + ENGINE_SLACK).total_seconds(),
        )
        at_event_time = packed | "At event time" >> beam.Map(_at_its_hour).with_output_types(_KEYED)
        merged = at_event_time | hours | "Merge" >> beam.CombinePerKey(_MergePartials())
        outputs = _Results(*(merged | "Changes" >> beam.ParDo(_Changes()).with_outputs(_WINDOWS, _HOURS, main="results")))
        forgotten = (output | f"Forget hours of {name}" >> beam.WindowInto(GlobalWindows()) for name, output in outputs._asdict().items())
        return _Results(*forgotten)


class _MergePartials(beam.CombineFn):
    """Collects packed partial summaries, and merges them now and then."""

    def create_accumulator(self) -> list[bytes]:
        return []

    def add_input(self, accumulator: list[bytes], packed: bytes) -> list[bytes]:
        accumulator.append(packed)
        return _merged(accumulator) if len(accumulator) >= _AT_ONCE else accumulator

    def merge_accumulators(self, accumulators: Iterable[list[bytes]]) -> list[bytes]:
        collected = [packed for accumulator in accumulators for packed in accumulator]
        return _merged(collected) if len(collected) >= _AT_ONCE else collected

    def extract_output(self, accumulator: list[bytes]) -> bytes:
        [packed] = _merged(accumulator)
        return packed

    def get_accumulator_coder(self) -> Coder:
        return ListCoder(BytesCoder())


class _Changes(beam.DoFn):
    """Lets through the minutes that changed since the last result, and their hour; a change is a summary more, never a rounding."""

    _RESULTS = ReadModifyWriteStateSpec("results", BytesCoder())

    def process(
        self,
        merged: tuple[Key, bytes],
        stored: ReadModifyWriteRuntimeState = beam.DoFn.StateParam(_RESULTS),  # type: ignore[assignment]
        pane: PaneInfo = beam.DoFn.PaneInfoParam,  # type: ignore[assignment]
    ) -> Iterator[WindowResult | TaggedOutput]:
        key, timing = Key(*merged[0]), _TIMINGS.get(pane.timing, Timing.ON_TIME)
        latest = {known[:2]: known[2:] for known in RESULTS.unpack(stored.read()) or ()}
        found = results(key, Partials.unpack(merged[1]))
        for window in found.windows:
            summaries, revision = latest.get(window[:2], (0, -1))
            if window[2].summaries != summaries:
                latest[window[:2]] = window[2].summaries, revision + 1
                yield from _outputs((key, window, revision + 1, timing))
                if window[0] == HOUR:
                    yield TaggedOutput(_HOURS, HourOfDevices(key, revision + 1, found.devices))
        stored.write(RESULTS.pack(tuple((*window, *known) for window, known in latest.items())))


class _Marks(beam.PTransform):
    """Makes marks of hours of sites: in batch mode one for each, in streaming mode one whenever it is due again."""

    def __init__(self, schedule: Schedule, clock: Clock) -> None:
        super().__init__()
        self._streaming = schedule.streaming
        self._clock = clock

    def expand(self, marked: PCollection[tuple[SiteHour, str]]) -> PCollection[TableRows]:
        if self._streaming:
            by_site = marked | "By site" >> beam.Map(_by_site).with_output_types(_SITE)
            due = by_site | "Due" >> beam.ParDo(_Due(self._clock))
        else:
            due = marked | "Plain" >> beam.Map(_plain).with_output_types(_SITE_HOUR) | "Once" >> beam.CombinePerKey(min)
        return due | "Rows" >> beam.ParDo(Collect(DirtyWindow, partial(_mark, self._clock)))


class _Due(beam.DoFn):
    """Lets through the hours of a site that are to be marked."""

    _MARKED = ReadModifyWriteStateSpec("marked", BytesCoder())

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def process(
        self,
        keyed: tuple[str, tuple[int, str]],
        stored: ReadModifyWriteRuntimeState = beam.DoFn.StateParam(_MARKED),  # type: ignore[assignment]
    ) -> Iterator[tuple[SiteHour, str]]:
        site_id, (hour, batch_id) = keyed
        marked = MARKED.unpack(stored.read()) or {}
        if is_due(marked, hour, self._clock()):
            stored.write(MARKED.pack(marked))
            yield SiteHour(site_id, hour), batch_id


def _merged(packed: list[bytes]) -> list[bytes]:
    return [merge([Partials.unpack(one) for one in packed]).pack()]


def _row(clock: Clock, result: WindowResult) -> dict[str, Any]:
    return row(*result, clock())


def _mark(clock: Clock, marked: tuple[SiteHour, str]) -> dict[str, Any]:
    return mark(SiteHour(*marked[0]), marked[1], clock())


def _of_summaries(row_group: RowGroup) -> bool:
    return row_group.kind == Kind.SUMMARIES


def _at_its_hour(keyed: tuple[Key, bytes]) -> TimestampedValue:
    return TimestampedValue(keyed, Key(*keyed[0]).hour)


def _by_site(marked: tuple[SiteHour, str]) -> tuple[str, tuple[int, str]]:
    (site_id, hour), batch_id = marked
    return site_id, (hour, batch_id)


def _plain(marked: tuple[SiteHour, str]) -> tuple[tuple[str, int], str]:
    (site_id, hour), batch_id = marked
    return (site_id, hour), batch_id


def _outputs(result: WindowResult) -> Iterator[WindowResult | TaggedOutput]:
    """Yields a result, and again for whoever goes on with windows if it has values: one without them retracts."""
    yield result
    if result[1][2].count:
        yield TaggedOutput(_WINDOWS, result)


def _single_results(merged: tuple[Key, bytes]) -> Iterator[WindowResult | TaggedOutput]:
    key = Key(*merged[0])
    found = results(key, Partials.unpack(merged[1]))
    for window in found.windows:
        yield from _outputs((key, window, 0, Timing.BATCH))
    yield TaggedOutput(_HOURS, HourOfDevices(key, 0, found.devices))
