"""The whole flow on a stream whose time the test moves: on time, late, too late, repeated, broken, unknown, refused."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import apache_beam as beam
import pyarrow as pa
import pytest
from apache_beam.coders import PickleCoder
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.testing import test_stream as scripted

from pipeline import flow
from pipeline.elements import ReceivedMessage
from pipeline.options import BUNDLES, FN_API
from pipeline.rollup.transform import Schedule
from schemas.envelope import Envelope
from schemas.registry import FixedRegistry
from tests.pipeline.alerts import test_outage_flow as outages
from tests.pipeline.bodies import NOW, REGISTRY, message, one_of, summary
from tests.pipeline.memory import REFUSED_CHANNEL, MemorySink, still

HOUR_END = NOW + timedelta(hours=1)
Row = dict[str, Any]


def minute(number: int) -> datetime:
    return NOW + timedelta(minutes=number)


ON_TIME = message([summary("d1", minute(0), 1.0), summary("d2", minute(0), 2.0), summary("stranger", minute(0))], minute(1), seq=1)
MORE = message([summary("d1", minute(1), 3.0)], minute(2), seq=2)
LATE = message([summary("d1", minute(1), 5.0, late=True)], HOUR_END + timedelta(days=6), seq=3)
TOO_LATE = message([summary("d1", minute(2), 7.0, late=True)], HOUR_END + timedelta(days=8), seq=4)
MIXED = message(
    [summary(), summary(count=0), summary(channel=REFUSED_CHANNEL), summary(start=NOW - timedelta(days=3000))], minute(3), seq=5
)
OTHERS = [
    message([one_of(kind)], minute(3), seq=6 + number) for number, kind in enumerate(("inferences", "events", "heartbeats", "rejects"))
]
GOOD_AFTER_CORRUPT = message([summary("d2", minute(4), 9.0)], minute(5), seq=10)
CORRUPT_COPY = replace(GOOD_AFTER_CORRUPT, body=GOOD_AFTER_CORRUPT.body[:-1] + b"\0")
BROKEN = ReceivedMessage({"gateway_id": "gw1"}, b"\x00\xffnot a batch", minute(3))
TAKEN = message([summary("d2", minute(0), 100.0)], minute(2), seq=2)
"""Of another box that shares the name, under a number that MORE has."""
GOOD = [ON_TIME, MORE, LATE, TOO_LATE, MIXED, *OTHERS, GOOD_AFTER_CORRUPT]


def stream() -> scripted.TestStream:
    """Event time passes the hour between MORE and LATE, and the allowed lateness before TOO_LATE."""
    script = scripted.TestStream(coder=PickleCoder()).advance_watermark_to(minute(0).timestamp())
    script = script.add_elements([ON_TIME]).advance_processing_time(61)
    script = script.add_elements([ON_TIME, CORRUPT_COPY, BROKEN, MIXED, *OTHERS]).add_elements([MORE, GOOD_AFTER_CORRUPT])
    script = script.advance_watermark_to((HOUR_END + timedelta(seconds=1)).timestamp())
    script = script.advance_watermark_to((HOUR_END + timedelta(days=6)).timestamp()).add_elements([LATE, TAKEN, MORE])
    script = script.advance_watermark_to((HOUR_END + timedelta(days=8)).timestamp()).add_elements([TOO_LATE, ON_TIME])
    return script.advance_watermark_to_infinity()


@pytest.fixture(scope="module")
def streamed() -> MemorySink:
    sink = MemorySink("streamed")
    with beam.Pipeline(options=PipelineOptions([f"--runner={BUNDLES}", "--streaming"])) as pipeline:
        flow.build(pipeline | stream(), FixedRegistry(REGISTRY), sink, Schedule(streaming=True), still)
    return sink


def batched(name: str, messages: Iterable[ReceivedMessage]) -> MemorySink:
    sink = MemorySink(name)
    with beam.Pipeline(options=PipelineOptions([f"--runner={FN_API}"])) as pipeline:
        flow.build(pipeline | beam.Create(list(messages)), FixedRegistry(REGISTRY), sink, Schedule(streaming=False), still)
    return sink


def identities(rows: Iterable[Row]) -> Counter[tuple[str, int]]:
    return Counter((row["batch_id"], row["row"]) for row in rows)


def set_aside(rejects: Iterable[Row]) -> Counter[tuple[str, int]]:
    """The identities of the rows inside those rejects that hold rows."""
    of_rows = [row for row in rejects if row["reason"] in ("unknown_device", "contradiction", "time_out_of_range", "warehouse_refused")]
    return Counter((row["batch_id"], number) for row in of_rows for number in inside(row).column("row").to_pylist())


def inside(reject: Row) -> pa.Table:
    return pa.ipc.open_stream(io.BytesIO(reject["payloadBytes"])).read_all()


def test_every_row_of_every_good_batch_is_a_fact_or_a_reject_exactly_once(streamed: MemorySink) -> None:
    facts = identities(row for table in ("summaries_v1", "inferences_v1", "events_v1", "heartbeats_v1") for row in streamed.table(table))
    rejects = streamed.table("rejects_v1")
    forwarded = Counter((row["batch_id"], int(row["reject_id"].rsplit(":")[-1])) for row in rejects if row["stage"].startswith("edge"))
    envelopes = [Envelope.parse(one.attributes) for one in GOOD]
    sent = Counter((one.batch_id, row) for one in envelopes for row in range(one.row_count))
    assert facts + forwarded + set_aside(rejects) == sent


def test_each_reason_has_its_reject(streamed: MemorySink) -> None:
    reasons = Counter(row["reason"] for row in streamed.table("rejects_v1"))
    assert reasons == Counter(
        [
            "unknown_device",
            "bad_zstd",
            "bad_envelope",
            "name_taken",
            "contradiction",
            "time_out_of_range",
            "warehouse_refused",
            "malformed_json",
        ]
    )


def test_a_broken_message_is_kept_with_its_bytes_and_attributes(streamed: MemorySink) -> None:
    [row] = [row for row in streamed.table("rejects_v1") if row["reason"] == "bad_envelope"]
    assert (row["payloadBytes"], row["attributes"]) == (BROKEN.body, [{"key": "gateway_id", "value": "gw1"}])
    assert (row["stage"], row["gateway_id"], row["payloadString"]) == ("pipeline.decode", "gw1", None)


def test_a_corrupt_copy_does_not_shadow_the_good_one(streamed: MemorySink) -> None:
    assert Envelope.parse(GOOD_AFTER_CORRUPT.attributes).batch_id in {row["batch_id"] for row in streamed.table("summaries_v1")}


def test_each_batch_is_received_once(streamed: MemorySink) -> None:
    assert sorted(row["seq"] for row in streamed.table("batches_v1")) == list(range(1, 11))


def latest(sink: MemorySink) -> dict[tuple[str, datetime, int], Row]:
    """The last result of each window of moisture."""
    return {
        (row["site_id"], row["window_start"], row["window_seconds"]): row
        for row in sink.table("site_windows_v1")
        if row["channel"] == "moisture"
    }


def test_the_last_revision_of_a_window_holds_all_that_was_not_too_late(streamed: MemorySink) -> None:
    found = {key: (row["count"], row["sum"]) for key, row in latest(streamed).items()}
    assert found == {
        ("south", minute(0), 60): (4, 3.0),
        ("south", minute(1), 60): (4, 16.0),
        ("south", minute(0), 3600): (8, 19.0),
        ("north", minute(0), 60): (2, 4.0),
        ("north", minute(4), 60): (2, 18.0),
        ("north", minute(0), 3600): (4, 22.0),
    }


def test_results_come_early_on_time_and_late_with_rising_revisions(streamed: MemorySink) -> None:
    hours = [
        row
        for row in streamed.table("site_windows_v1")
        if row["window_seconds"] == 3600 and row["site_id"] == "south" and row["channel"] == "moisture"
    ]
    assert [row["revision"] for row in hours] == list(range(len(hours)))
    assert [row["timing"] for row in hours] == ["early", "on_time", "late"]


def test_a_minute_that_did_not_change_is_not_given_again(streamed: MemorySink) -> None:
    minutes = [
        row
        for row in streamed.table("site_windows_v1")
        if row["window_start"] == minute(0) and row["window_seconds"] == 60 and row["site_id"] == "north"
    ]
    assert [(row["revision"], row["timing"]) for row in minutes] == [(0, "early")]


def test_what_is_too_late_is_a_fact_all_the_same_and_no_part_of_the_rollup(streamed: MemorySink) -> None:
    assert Envelope.parse(TOO_LATE.attributes).batch_id in {row["batch_id"] for row in streamed.table("summaries_v1")}
    assert latest(streamed)["south", minute(0), 3600]["sum"] == 19.0
    assert ("south", minute(2), 60) not in latest(streamed)


def test_every_hour_of_a_site_that_has_facts_is_marked_once(streamed: MemorySink) -> None:
    marks = Counter((row["site_id"], row["window_start"], row["window_seconds"]) for row in streamed.table("dirty_windows_v1"))
    assert marks == Counter([("south", minute(0), 3600), ("north", minute(0), 3600)])
    assert {row["batch_id"] for row in streamed.table("dirty_windows_v1")} <= {row["batch_id"] for row in streamed.table("summaries_v1")}


def test_batch_mode_gives_the_same_facts_and_no_lateness(streamed: MemorySink) -> None:
    sink = batched("batched", [*GOOD, ON_TIME, BROKEN, CORRUPT_COPY, MORE, TAKEN])
    for table in ("summaries_v1", "inferences_v1", "events_v1", "heartbeats_v1", "batches_v1"):
        assert sorted(sink.table(table), key=str) == sorted(streamed.table(table), key=str)
    assert {row["reject_id"] for row in sink.table("rejects_v1")} == {row["reject_id"] for row in streamed.table("rejects_v1")}
    assert sorted(row["site_id"] for row in sink.table("dirty_windows_v1")) == ["north", "south"]
    assert {(row["timing"], row["revision"]) for row in sink.table("site_windows_v1")} == {("batch", 0)}
    assert latest(sink)["south", minute(0), 3600]["sum"] == 19.0 + 14.0


def test_batch_mode_gives_every_window_once() -> None:
    sink = batched("once", [message([summary("d1", minute(number % 3))], seq=number + 1) for number in range(20)])
    counts = Counter((row["window_start"], row["window_seconds"]) for row in sink.table("site_windows_v1"))
    assert counts == Counter([(minute(0), 60), (minute(1), 60), (minute(2), 60), (minute(0), 3600)])


def test_a_batch_whose_rows_are_all_refused_still_has_its_receipt() -> None:
    sink = batched("refused", [message([summary("stranger")])])
    assert not sink.table("summaries_v1")
    assert len(sink.table("batches_v1")) == len(sink.table("rejects_v1")) == 1


def test_11_a_sensor_that_two_gateways_hear_counts_once() -> None:
    """A reading a minute, in windows of a minute at one gateway and of ten at the other: 60, not 120."""
    minutes = [message([summary("d2", minute(at), count=1, sum=0.5, seq_ranges=(at, at))], minute(at + 1), seq=at + 1) for at in range(60)]
    tens = [
        message(
            [summary("d2", minute(at), window_seconds=600, count=10, sum=5.0, seq_ranges=(at, at + 9))],
            minute(at + 10),
            seq=1 + at // 10,
            gateway_id="gw2",
        )
        for at in range(0, 60, 10)
    ]
    sink = batched("twice", [*minutes, *tens])
    assert [row["count"] for key, row in latest(sink).items() if key[2] == 3600] == [60]


@pytest.mark.parametrize("seconds", [420, 2400, 7200])
def test_windows_that_do_not_divide_the_hour_are_counted_fully_in_both_modes(seconds: int) -> None:
    """As a gateway of before was configured: a reading a minute, for eight windows."""
    of_a_window, begin = seconds // 60, NOW.timestamp() // seconds * seconds
    messages = []
    for number in range(8):
        start, first = datetime.fromtimestamp(begin + number * seconds, UTC), number * of_a_window
        row = summary(
            "d2", start, window_seconds=seconds, count=of_a_window, sum=0.5 * of_a_window, seq_ranges=(first, first + of_a_window - 1)
        )
        messages.append(message([row], start + timedelta(seconds=seconds + 5), seq=number + 1))
    for sink in (batched(f"long-{seconds}", messages), outages.run(f"live-{seconds}", messages)):
        hours = {key: row["count"] for key, row in latest(sink).items() if key[2] == 3600}
        assert sum(hours.values()) == 8 * of_a_window
        assert not sink.table("rejects_v1")
