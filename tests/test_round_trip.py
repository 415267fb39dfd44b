"""What the gateway encodes is what the pipeline decodes: the two ends meet here and in schemas only."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import reduce
from io import BytesIO
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

import pyarrow as pa
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from edge.reading import Reading
from edge.store.batch import EncodedBatch, encode
from edge.summaries.summarise import merged, summaries
from edge.window import Window
from pipeline.assign_sites import group_rows
from pipeline.decode import decode, decode_all
from pipeline.elements import DecodedBatches, ReceivedMessage
from pipeline.rollup.partials import partials
from pipeline.validate import validate
from schemas.arrow import wire_columns
from schemas.envelope import entries, micros
from schemas.records import KINDS, Event, Kind
from tests.edge.gateways import START
from tests.edge.test_gateway import OnePlace
from tests.edge.test_gateway_deadband import deadband_config, feed
from tests.pipeline.golden_bytes import golden

NOW = datetime(2026, 5, 1, tzinfo=UTC)
_VALUES: dict[Any, st.SearchStrategy[Any]] = {
    str: st.text(max_size=20),
    int: st.integers(-(2**63), 2**63 - 1),
    float: st.floats(allow_nan=False),
    bool: st.booleans(),
    bytes: st.binary(max_size=40),
    datetime: st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC)),  # noqa: DTZ001 - hypothesis adds the zone
}


def values(hint: Any) -> st.SearchStrategy[Any]:
    if get_origin(hint) is UnionType:
        return st.none() | values(next(argument for argument in get_args(hint) if argument is not NoneType))
    if get_origin(hint) is tuple:
        return st.lists(values(get_args(hint)[0]), max_size=4).map(tuple)
    return _VALUES[hint]


def records(record: type) -> st.SearchStrategy[Any]:
    """Records whose columns on the wire hold anything that their types allow."""
    wire = {column.name for column in wire_columns(record)}
    hints = get_type_hints(record)
    return st.builds(record, **{name: values(hint) if name in wire else st.none() for name, hint in hints.items()})


def received(batch: EncodedBatch) -> ReceivedMessage:
    envelope = batch.envelope("gw1", 1, 1, NOW)
    return ReceivedMessage(envelope.attributes(), batch.body, NOW + timedelta(seconds=1))


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_every_record_arrives_as_it_left(kind: str, data: st.DataObject) -> None:
    rows = data.draw(st.lists(records(KINDS[kind].record), min_size=1, max_size=6))
    arrived = decode(received(encode(kind, rows))).rows
    for column in wire_columns(KINDS[kind].record):
        values_sent = [getattr(row, column.name) for row in rows]
        assert arrived.column(column.name).to_pylist() == [list(value) if column.repeated else value for value in values_sent]
    assert arrived.column("row").to_pylist() == list(range(len(rows)))


def test_the_schema_stays_as_a_gateway_of_before_wrote_it_for_rejects_are_made_of_it() -> None:
    """Of records that are still as they were: others get the columns that came since."""
    sent = next(ReceivedMessage(*each, NOW) for each in entries(BytesIO(golden("batches", "1.2"))) if each[0]["kind"] == Kind.EVENTS)
    stream = pa.ipc.open_stream(zstandard.ZstdDecompressor().decompress(sent.body))
    [batches] = decode_all([sent, sent])
    assert isinstance(batches, DecodedBatches)
    assert batches.rows.schema.remove(0).remove(0).serialize() == stream.schema.serialize()


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_every_record_is_believed_or_set_aside(kind: str, data: st.DataObject) -> None:
    rows = data.draw(st.lists(records(KINDS[kind].record), min_size=1, max_size=6))
    valid, rejected = validate(group_rows([DecodedBatches.of(decode(received(encode(kind, rows))))]), NOW)
    assert sorted(row for one in (valid, *rejected) for row in one.rows.column("row").to_pylist()) == list(range(len(rows)))


@given(
    st.lists(
        st.lists(
            st.tuples(
                st.integers(0, 59_999_999), st.floats(-1e15, 1e15) | st.sampled_from([0.1, 1e-13, -40.0]), st.none() | st.integers(0, 9)
            ),
            min_size=1,
            max_size=9,
        ),
        min_size=1,
        max_size=5,
    )
)
def test_what_a_gateway_summarises_is_believed(minutes: list[list[tuple[int, float, int | None]]]) -> None:
    """Each minute by itself, and all of them held as one summary."""
    rows = [row for number, minute in enumerate(minutes) for row in summaries(window_of(number, minute), {"a": "m"})]
    held = replace(reduce(merged, rows), device_id="held")
    assert not validate(group_rows([DecodedBatches.of(decode(received(encode(Kind.SUMMARIES, [*rows, held]))))]), NOW)[1]


def window_of(number: int, minute: list[tuple[int, float, int | None]]) -> Window:
    start = micros(NOW) + number * 60_000_000
    readings = [
        Reading("d1", start + at, start + at, "synced", None, seq if seq is None else 2**62 - 100 + 10 * number + seq, True, {"a": value})
        for at, value, seq in minute
    ]
    return Window("d1", start, 60, False, readings)


def test_what_a_deadband_delayed_is_sound_to_the_pipeline_and_lies_in_its_hour(tmp_path: Path) -> None:
    place = OnePlace(tmp_path, deadband_config(tmp_path, 0.05))
    feed(place, [0.3] * 40 + [0.2], 340)
    place.gateway.flush(START + timedelta(hours=2))
    batches = [batch for batch in place.store.batches(0, 1000) if batch.envelope.kind == "summaries"]
    place.store.close()
    decoded = [decode(ReceivedMessage(batch.envelope.attributes(), batch.body, START + timedelta(hours=2))) for batch in batches]
    row_group = group_rows([DecodedBatches.of(batch) for batch in decoded])
    assert validate(row_group, START)[1] == []
    assert [seconds for batch in decoded for seconds in batch.rows.column("window_seconds").to_pylist()] == [10, 190, 200, 10]
    with_site = row_group.with_rows(row_group.rows.append_column("site_id", pa.array(["north"] * row_group.rows.num_rows)))
    hours: Counter[int] = Counter()
    for key, heard in partials(with_site):
        hours[key.hour - micros(START) // 1_000_000] += int(heard.rows["count"].sum())
    assert hours == {0: 20, 3600: 21}


def test_the_gateways_bodies_carry_a_checksum_so_that_no_flipped_bit_passes() -> None:
    event = Event(
        device_id="d1",
        event_time=NOW,
        cause="threshold",
        rule="dry",
        channel="moisture",
        previous_state=None,
        state="low",
        value=0.1,
        threshold=0.2,
        severity="warning",
        time_quality="synced",
    )
    assert zstandard.get_frame_parameters(encode("events", [event]).body).has_checksum
