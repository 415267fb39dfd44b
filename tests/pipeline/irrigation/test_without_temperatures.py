"""A field without temperatures lacks more than its readily available water for 65 days, through the whole flow: people are told, once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import apache_beam as beam
import pytest
from apache_beam.coders import PickleCoder
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.testing import test_stream as scripted

from pipeline import flow
from pipeline.elements import NotificationMessage, ReceivedMessage
from pipeline.options import BUNDLES
from pipeline.rollup.transform import Schedule
from schemas.notification import parse
from schemas.records import Device, Summary
from schemas.registry import FixedRegistry, Registry
from tests.pipeline.bodies import ALWAYS, message
from tests.pipeline.irrigation.test_bad_probes import MIDNIGHT, RULES, SITE, hourly
from tests.pipeline.memory import MemorySink

DAYS = 65
MOISTURES = {"dry": 0.10, "moist": 0.30}
"""Site (and its device) -> what its probe says, give or take a little."""
WORLD = Registry(
    sites=tuple(replace(SITE, site_id=name, name=name) for name in MOISTURES),
    devices=tuple(Device(name, "soil", name, ALWAYS, None) for name in MOISTURES),
    rules=RULES,
)
TIME = [MIDNIGHT]
NOTIFIED: list[NotificationMessage] = []


def clock() -> datetime:
    return TIME[0]


def arrived(one: ReceivedMessage) -> ReceivedMessage:
    TIME[0] = max(TIME[0], one.received_time)
    return one


def notify(notification: NotificationMessage) -> None:
    NOTIFIED.append(notification)


def batches() -> Iterator[ReceivedMessage]:
    """A batch at once, then one of every sixteen days, each some minutes after its last hour."""
    for number, days in enumerate([range(1), *(range(at, at + 16) for at in range(1, DAYS, 16))], 1):
        rows = [row for day in days for row in values(day)]
        yield message(rows, begin(days[-1]) + timedelta(hours=7, minutes=5), seq=number)


def begin(day: int) -> datetime:
    return MIDNIGHT + timedelta(days=day + 1 - DAYS)


def values(day: int) -> Iterator[Summary]:
    """Two hours of a day: what never changes is not believed."""
    for hour in (0, 6):
        for name, value in MOISTURES.items():
            yield hourly(name, 24 * (day + 1 - DAYS) + hour, "moisture", value + 0.001 * (day % 3) + hour / 10_000, "m3/m3")


def stream() -> scripted.TestStream:
    """The engine's time is that of the latest message."""
    now = MIDNIGHT - timedelta(days=DAYS)
    script = scripted.TestStream(coder=PickleCoder()).advance_watermark_to(now.timestamp()).advance_processing_time(now.timestamp())
    for one in batches():
        script = script.add_elements([one]).advance_processing_time((one.received_time - now).total_seconds())
        now = one.received_time
    return script.advance_watermark_to_infinity()


@pytest.fixture(scope="module")
def sink() -> MemorySink:
    filled, TIME[0] = MemorySink("without-temperatures"), MIDNIGHT - timedelta(days=DAYS)
    NOTIFIED.clear()
    with beam.Pipeline(options=PipelineOptions([f"--runner={BUNDLES}", "--streaming"])) as pipeline:
        messages = pipeline | stream() | beam.Map(arrived).with_output_types(ReceivedMessage)
        flow.build(messages, FixedRegistry(WORLD), filled, Schedule(streaming=True), clock, beam.Map(notify))
    return filled


def test_without_temperatures_a_day_beyond_the_readily_available_water_has_no_days_left(sink: MemorySink) -> None:
    """The latest row of a day counts: one whose first hour alone was heard leaves it open."""
    latest = {row["day"]: row["balance_days"] for row in sink.table("irrigation_v2") if row["site_id"] == "dry"}
    assert (latest[begin(0)], latest[begin(DAYS - 1)]) == (0.0, 0.0)
    assert {row["reference_mm"] for row in sink.table("irrigation_v2")} == {None}


def test_people_are_told_of_the_dry_field_at_once_and_once_in_65_days_and_of_the_moist_one_never(sink: MemorySink) -> None:
    of_water = [row for row in sink.table("alerts_v1") if row["rule"] == "water-needed"]
    assert [(row["subject"], row["state"], row["notified"]) for row in of_water] == [("dry", "opened", True)]
    [told] = [parse(notification.body) for notification in NOTIFIED]
    assert (told.rule, told.subject, told.historical, told.as_of - begin(0)) == (
        "water-needed",
        "dry",
        False,
        timedelta(hours=7, minutes=5),
    )
