"""Rollups on the engine: what changes is given again, what is not there any more is retracted, and no late row is lost or unmarked."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.coders import PickleCoder
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.testing import test_stream as scripted

from pipeline import flow
from pipeline.elements import ReceivedMessage
from pipeline.options import BUNDLES, FN_API
from pipeline.rollup.stats import HOUR, DeviceHour
from pipeline.rollup.transform import RollUp, Schedule
from schemas.registry import FixedRegistry
from tests.pipeline.bodies import NOW, REGISTRY, message, summary
from tests.pipeline.memory import MemorySink, still
from tests.pipeline.rollup.heard import at_south

SINGLES = at_south("gw1", 1, [summary(start=NOW), summary(start=NOW + timedelta(minutes=1), seq_ranges=(3, 4))])
HELD = at_south("gw1", 2, [summary("d2", start=NOW + timedelta(minutes=1), window_seconds=600, value=3.0)])
HEARD_AGAIN = at_south("gw2", 1, [summary(start=NOW, value=7.0, seq_ranges=(1, 1), count=1)])
PARTS = [SINGLES, HELD, HEARD_AGAIN]

FOUND: dict[str, list[Any]] = defaultdict(list)
"""What came out, by its name. Engines make copies of steps, so it is global."""

CLOCK = [NOW]
"""The time: when the newest message was received."""


def keep(element: Any, name: str) -> None:
    FOUND[name].append(element)


def roll_up(runner: str, row_groups: Any, *, streaming: bool) -> dict[str, list[Any]]:
    FOUND.clear()
    with beam.Pipeline(options=PipelineOptions([f"--runner={runner}", *(["--streaming"] if streaming else [])])) as pipeline:
        results = pipeline | row_groups | RollUp(Schedule(streaming=streaming), still)
        rows = dict(zip(("rows", "marks"), results.rows.values(), strict=True))
        for name, elements in {"windows": results.windows, "hours": results.hours, **rows}.items():
            elements | f"Keep {name}" >> beam.Map(keep, name)
    tables = {name: [row for rows in FOUND[name] for row in rows.rows.to_pylist()] for name in ("rows", "marks")}
    return {**FOUND, **tables}


@pytest.fixture(scope="module")
def streamed() -> dict[str, list[Any]]:
    """Each part comes in a pane of its own."""
    script = scripted.TestStream(coder=PickleCoder()).advance_watermark_to(NOW.timestamp())
    for part in PARTS:
        script = script.add_elements([part]).advance_processing_time(61)
    return roll_up(BUNDLES, script.advance_watermark_to_infinity(), streaming=True)


@pytest.fixture(scope="module")
def batched() -> dict[str, list[Any]]:
    return roll_up(FN_API, beam.Create(PARTS), streaming=False)


def minutes_of(rows: list[dict[str, Any]]) -> list[tuple[int, int, int, int]]:
    """(minute, revision, count, summaries) of each row of a minute, in order."""
    numbered = [((row["window_start"] - NOW) // timedelta(minutes=1), row) for row in rows if row["window_seconds"] != HOUR]
    return sorted((minute, row["revision"], row["count"], row["summaries"]) for minute, row in numbered)


def test_a_minute_that_a_longer_summary_comes_to_lie_over_is_retracted(streamed: dict[str, list[Any]]) -> None:
    assert minutes_of(streamed["rows"]) == [(0, 0, 2, 1), (0, 1, 2, 2), (1, 0, 2, 1), (1, 1, 0, 2)]


def test_batch_mode_retracts_too_for_an_earlier_run_may_have_known_less(batched: dict[str, list[Any]]) -> None:
    assert minutes_of(batched["rows"]) == [(0, 0, 2, 2), (1, 0, 0, 2)]


def test_who_goes_on_with_windows_sees_none_without_values(streamed: dict[str, list[Any]], batched: dict[str, list[Any]]) -> None:
    for results in (streamed, batched):
        assert all(stats.count for _, (_, _, stats), _, _ in results["windows"])
        assert len(results["windows"]) == len(results["rows"]) - 1


def test_the_devices_of_an_hour_are_given_whenever_it_changed(streamed: dict[str, list[Any]]) -> None:
    first, south = DeviceHour("d1", 4, 0.5, 0.5, 0.5), DeviceHour("d2", 2, 3.0, 3.0, 3.0)
    assert [(hour.revision, hour.devices) for hour in streamed["hours"]] == [(0, (first,)), (1, (first, south)), (2, (first, south))]


def test_batch_mode_gives_the_devices_of_an_hour_once_as_streaming_does_at_last(
    streamed: dict[str, list[Any]], batched: dict[str, list[Any]]
) -> None:
    [hour] = batched["hours"]
    assert (hour.key, hour.devices) == (streamed["hours"][-1].key, streamed["hours"][-1].devices)
    assert hour.revision == 0


def test_both_modes_mark_the_hour(streamed: dict[str, list[Any]], batched: dict[str, list[Any]]) -> None:
    for results in (streamed, batched):
        assert [(mark["site_id"], mark["window_start"]) for mark in results["marks"]] == [("south", NOW)]


RECOMPUTE_OVERLAP = timedelta(days=1)
"""How much further back than its last run `tinybeam sql recompute` looks for marks."""

LATENESS = [timedelta(days=days) for days in (0, 0.01, 1, 6.9, 7, 7.1, 15, 30)]


def late_messages() -> list[tuple[timedelta, datetime, ReceivedMessage]]:
    """A row for an hour of its own for each lateness, and one in time for each of those hours: (lateness, hour, message), as they come."""
    hours = [(lateness, NOW - timedelta(hours=place)) for place, lateness in enumerate(LATENESS)]
    late = [
        (lateness, hour, message([summary(start=hour, late=True)], hour + timedelta(hours=1) + lateness, seq=1 + place))
        for place, (lateness, hour) in enumerate(hours)
    ]
    timely = [
        (timedelta(), hour, message([summary(start=hour)], hour + timedelta(minutes=2), seq=101 + place))
        for place, (_, hour) in enumerate(hours)
    ]
    return sorted([*late, *timely], key=lambda one: one[2].received_time)


def clock() -> datetime:
    return CLOCK[0]


def set_clock(received: ReceivedMessage) -> Iterator[ReceivedMessage]:
    CLOCK[0] = received.received_time
    yield received


def test_of_rows_up_to_a_month_late_each_is_a_fact_and_its_hour_is_marked_when_it_comes() -> None:
    sink, messages = MemorySink("late"), late_messages()
    script = scripted.TestStream(coder=PickleCoder()).advance_watermark_to((NOW - timedelta(days=1)).timestamp())
    for _, _, one in messages:
        script = script.advance_watermark_to(one.received_time.timestamp()).add_elements([one])
    with beam.Pipeline(options=PipelineOptions([f"--runner={BUNDLES}", "--streaming"])) as pipeline:
        received = pipeline | script.advance_watermark_to_infinity() | beam.FlatMap(set_clock)
        flow.build(received, FixedRegistry(REGISTRY), sink, Schedule(streaming=True), clock)
    assert not sink.table("rejects_v1")
    assert Counter(row["window_start"] for row in sink.table("summaries_v1")) == Counter(hour for _, hour, _ in messages)
    marked = [(row["window_start"], row["marked_time"]) for row in sink.table("dirty_windows_v1")]
    for _, hour, one in messages:
        assert any(start == hour and one.received_time - RECOMPUTE_OVERLAP < at <= one.received_time for start, at in marked)
    last = {row["window_start"]: row["summaries"] for row in sink.table("site_windows_v1") if row["window_seconds"] == HOUR}
    assert last == {hour: 1 + (lateness <= timedelta(days=7)) for lateness, hour, _ in late_messages() if lateness or hour == NOW}
