"""Irrigation need on the engine: a revision for every change while the day goes on and after it, and in batch mode the same last rows."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable, Iterator
from dataclasses import replace
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
from pipeline.rollup.transform import Schedule
from schemas.records import Site, Summary
from schemas.registry import FixedRegistry, Registry
from tests.pipeline.bodies import ALWAYS, NOW, REGISTRY, message, summary
from tests.pipeline.memory import MemorySink, still

MIDNIGHT = NOW.replace(hour=0)
YESTERDAY = MIDNIGHT - timedelta(days=1)
Row = dict[str, Any]

NORTH = Site(
    site_id="north",
    name="North",
    latitude=40.0,
    longitude=-100.0,
    area_m2=10_000.0,
    soil="Loam",
    crop="Maize",
    planted=MIDNIGHT - timedelta(days=75),
    valid_from=ALWAYS,
)
FIELDS = Registry(sites=(NORTH, replace(NORTH, site_id="south", soil=None, crop=None)), devices=REGISTRY.devices)
"""North is a field; what stands in the south is none."""


def hour(start: datetime, moisture: float, temperature: float, device: str = "d2", **changes: Any) -> list[Summary]:
    """What a device tells of an hour."""
    values = (("moisture", "m3/m3", moisture), ("temperature", "degC", temperature))
    return [summary(device, start, value, channel=channel, unit=unit, window_seconds=3600, **changes) for channel, unit, value in values]


def hours(begin: datetime, count: int) -> Iterator[list[Summary]]:
    for number in range(count):
        yield hour(begin + timedelta(hours=number), 0.26 - 0.001 * number, 10 + number % 24)


def messages() -> list[ReceivedMessage]:
    """Yesterday and this morning, in the north; one hour in the south; and an hour of yesterday that comes late."""
    summaries = [*hours(YESTERDAY, 36), hour(MIDNIGHT, 0.1, 20.0, "d1"), hour(YESTERDAY + timedelta(hours=23), 0.2, 35.0, late=True)]
    return [message(rows, NOW, seq=number + 1) for number, rows in enumerate(summaries)]


def run(name: str, source: beam.PTransform, *, streaming: bool) -> list[Row]:
    sink = MemorySink(name)
    flags = [f"--runner={BUNDLES}", "--streaming"] if streaming else [f"--runner={FN_API}"]
    with beam.Pipeline(options=PipelineOptions(flags)) as pipeline:
        flow.build(pipeline | source, FixedRegistry(FIELDS), sink, Schedule(streaming=streaming), still)
    return sink.table("irrigation_v2")


def stream(sent: list[ReceivedMessage]) -> scripted.TestStream:
    """The day ends before the last six messages, and early results are asked for now and then. A bundle has two messages."""
    script = scripted.TestStream(coder=PickleCoder()).advance_watermark_to(YESTERDAY.timestamp())
    for at in range(0, len(sent), 2):
        if at == len(sent) - 6:
            script = script.advance_watermark_to((MIDNIGHT + timedelta(hours=1)).timestamp())
        script = script.add_elements(sent[at : at + 2])
        script = script if at % 6 else script.advance_processing_time(61)
    return script.advance_watermark_to_infinity()


@pytest.fixture(scope="module")
def batched() -> list[Row]:
    return run("irrigation-batched", beam.Create(messages()), streaming=False)


@pytest.fixture(scope="module")
def streamed() -> list[Row]:
    sent = messages()
    random.Random(5).shuffle(sent)
    return run("irrigation-streamed", stream(sent), streaming=True)


def last(rows: Iterable[Row]) -> dict[tuple[str, datetime], Row]:
    """The last row of each site and day, but for its number."""
    return {(row["site_id"], row["day"]): row | {"revision": None} for row in sorted(rows, key=lambda row: row["revision"])}


def test_in_batch_mode_each_field_and_day_has_one_row(batched: list[Row]) -> None:
    assert [(row["site_id"], row["day"], row["revision"]) for row in batched] == [("north", YESTERDAY, 0), ("north", MIDNIGHT, 0)]


def test_a_late_hour_is_in_the_balance_of_its_day(batched: list[Row]) -> None:
    """Two devices' values of the last hour: 0.237 and 0.2 of two readings each, 33 and 35 degrees."""
    [row, _] = batched
    assert (row["moisture"], row["temperature_max"]) == pytest.approx((0.2185, 34.0))
    assert row["depletion_mm"] == pytest.approx(91.5)


def test_streaming_ends_in_the_rows_of_batch_mode(streamed: list[Row], batched: list[Row]) -> None:
    assert last(streamed) == last(batched)


def test_streaming_gives_a_revision_for_every_change(streamed: list[Row]) -> None:
    for day in (YESTERDAY, MIDNIGHT):
        rows = [row for row in streamed if row["day"] == day]
        assert [row["revision"] for row in rows] == list(range(len(rows)))
        assert len(rows) > 3
        contents = [{name: value for name, value in row.items() if name != "revision"} for row in rows]
        assert all(one != other for one, other in itertools.pairwise(contents))
