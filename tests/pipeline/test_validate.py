"""Bad rows are set aside, each under one reason; their good neighbours go on."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.assign_sites import group_rows
from pipeline.decode import decode
from pipeline.elements import DecodedBatches, TableRows
from pipeline.validate import validate, within_partitions
from schemas import sketch
from schemas.envelope import micros
from schemas.records import Summary
from tests.pipeline.bodies import NOW, batch, grouped, message_of, numbered, one_of, summary, table


@pytest.mark.parametrize(
    ("reason", "change"),
    [
        ("not_finite", {"sum": math.nan}),
        ("not_finite", {"max": math.inf}),
        ("not_finite", {"clock_offset_ms": -math.inf}),
        ("time_out_of_range", {"window_start": NOW - timedelta(days=1826)}),
        ("time_out_of_range", {"window_start": NOW + timedelta(days=367)}),
        ("time_out_of_range", {"window_start": datetime(1970, 1, 1, tzinfo=UTC)}),
        ("contradiction", {"count": 0}),
        ("contradiction", {"count": 2**62}),
        ("contradiction", {"m2": -1.0}),
        ("contradiction", {"min": 2.0, "max": 1.0}),
        ("contradiction", {"window_seconds": 0}),
        ("contradiction", {"window_seconds": -(2**63)}),
        ("contradiction", {"window_seconds": 2**62}),
        ("contradiction", {"count": -(2**63)}),
        ("contradiction", {"last": 0.50001}),
        ("contradiction", {"last": -1e300}),
        ("contradiction", {"sum": 1.001}),
        ("contradiction", {"sum": 1e308}),
        ("contradiction", {"m2": 1e-12}),
        ("contradiction", {"min": -1e308, "max": 1e308, "m2": -0.5}),
        ("contradiction", {"last_time": NOW - timedelta(microseconds=1)}),
        ("contradiction", {"last_time": NOW + timedelta(seconds=60)}),
        ("contradiction", {"seq_ranges": (1,)}),
        ("contradiction", {"seq_ranges": (1, 2, 5)}),
        ("contradiction", {"seq_ranges": (2, 1)}),
        ("contradiction", {"seq_ranges": (7, 7, 1, 1)}),
        ("contradiction", {"seq_ranges": (1, 1, 1, 1)}),
        ("contradiction", {"seq_ranges": (-1, 0)}),
        ("contradiction", {"seq_ranges": (2**62, 2**62)}),
        ("contradiction", {"seq_ranges": (-(2**63), -5, 2**63 - 2, 2**63 - 1)}),
        ("contradiction", {"seq_ranges": (1, 3)}),
        ("contradiction", {"seq_ranges": (0, 2**62 - 1)}),
        ("contradiction", {"sketch": (5 * 2**40 + 1, 6 * 2**40 + 1)}),
        ("contradiction", {"sketch": tuple(sketch.of([0.5]))[0:1]}),
        ("contradiction", {"sketch": sketch.of([0.5, 0.6])}),
        ("contradiction", {"sketch": sketch.of([0.4, 0.5])}),
        ("contradiction", {"sketch": sketch.of([-0.5, -0.5])}),
        ("contradiction", {"sketch": (-2,)}),
        ("contradiction", {"sketch": (2,)}),
        ("contradiction", {"sketch": (2**53 + 2,)}),
        ("contradiction", {"sketch": (5 * 2**40, 6 * 2**40 + 2)}),
        ("contradiction", {"sketch": (6 * 2**40 + 1, 5 * 2**40 + 1)}),
        ("contradiction", {"sketch": (5 * 2**40 + 1, 5 * 2**40 + 1)}),
        ("contradiction", {"sketch": (5 * 2**40 + 1,)}),
        ("contradiction", {"sketch": (5 * 2**40 + 1, 6 * 2**40 + 2)}),
    ],
)
def test_a_bad_row_is_set_aside_and_its_neighbours_go_on(reason: str, change: dict[str, Any]) -> None:
    valid, rejected = validate(grouped([summary(), summary(**change), summary("d2")]), NOW)
    assert valid.rows.column("row").to_pylist() == [0, 2]
    assert [(one.reason, one.rows.column("row").to_pylist()) for one in rejected] == [(reason, [1])]


DOOR = {"channel_kind": "state", "states": "closed,open", "point_offsets_us": (-86_400_000_000, 0), "point_values": (0.0, 1.0)}
METER = {"channel_kind": "counter", "point_offsets_us": (0, 59_999_999), "point_values": (7.5, 2.0), "wraps_at": 10.0}


@pytest.mark.parametrize("sound", [DOOR, METER, METER | {"wraps_at": None}, METER | {"point_offsets_us": (5, 5)}])
def test_points_of_a_state_or_a_counter_are_believed(sound: dict[str, Any]) -> None:
    assert not validate(grouped([summary(), summary(**sound), summary("d2", **METER)]), NOW)[1]


@pytest.mark.parametrize(
    "change",
    [
        DOOR | {"channel_kind": "gauge"},
        DOOR | {"channel_kind": None},
        DOOR | {"states": None},
        DOOR | {"states": ""},
        DOOR | {"point_values": (0.0, 2.0)},
        DOOR | {"point_values": (0.5, 1.0)},
        DOOR | {"point_values": (-1.0, 1.0)},
        DOOR | {"point_values": (1.0,)},
        DOOR | {"point_offsets_us": (-86_400_000_001, 0)},
        DOOR | {"point_offsets_us": (), "point_values": ()},
        METER | {"states": "a"},
        METER | {"wraps_at": 0.0},
        METER | {"point_offsets_us": (0, 60_000_000)},
        METER | {"point_offsets_us": (1, 0)},
        METER | {"point_offsets_us": (-2, -1)},
        METER | {"point_offsets_us": (0, 1, 2, 3), "point_values": (0.0, 1.0, 2.0, 3.0)},
        {"point_offsets_us": (0,)},
        {"point_values": (0.0,)},
        {"wraps_at": 5.0},
        {"states": "a,b"},
    ],
)
def test_points_that_are_none_set_their_row_aside(change: dict[str, Any]) -> None:
    valid, rejected = validate(grouped([summary(**DOOR), summary(**change), summary("d2", **METER), summary("d3")]), NOW)
    assert valid.rows.column("row").to_pylist() == [0, 2, 3]
    assert [(one.reason, one.rows.column("row").to_pylist()) for one in rejected] == [("contradiction", [1])]


def test_a_null_where_none_may_be_is_set_aside() -> None:
    rows = table("summaries", numbered(3))
    holed = rows.set_column(rows.schema.get_field_index("sum"), "sum", pa.array([0.0, None, 0.5]))
    valid, rejected = validate(group_rows([DecodedBatches.of(decode(message_of("summaries", holed)))]), NOW)
    assert (valid.rows.num_rows, rejected[0].reason, rejected[0].rows.column("row").to_pylist()) == (2, "null_value", [1])


def test_a_null_or_infinite_element_of_a_list_sets_its_row_aside() -> None:
    rows = table("inferences", [one_of("inferences")] * 4)
    features = pa.array([[1.0], [None], [], [2.0, math.inf]])
    holed = rows.set_column(rows.schema.get_field_index("features"), "features", features)
    valid, rejected = validate(group_rows([DecodedBatches.of(decode(message_of("inferences", holed)))]), NOW)
    assert valid.rows.column("row").to_pylist() == [0, 2]
    assert [(one.reason, one.rows.column("row").to_pylist()) for one in rejected] == [("null_value", [1]), ("not_finite", [3])]


def test_a_time_beyond_the_years_of_bigquery_is_set_aside_in_any_column() -> None:
    rows = table("summaries", numbered(2))
    far = pa.array([2**62, micros(NOW) + 1_000_000], pa.int64()).cast(pa.timestamp("us", "UTC"))
    changed = rows.set_column(rows.schema.get_field_index("last_time"), "last_time", far)
    _, rejected = validate(group_rows([DecodedBatches.of(decode(message_of("summaries", changed)))]), NOW)
    assert [(one.reason, one.rows.column("row").to_pylist()) for one in rejected] == [("time_out_of_range", [0])]


def test_a_row_with_two_faults_is_set_aside_once() -> None:
    _, rejected = validate(grouped([summary(sum=math.nan, count=0)]), NOW)
    assert [one.reason for one in rejected] == ["not_finite"]


def summary_of(values: list[float]) -> Summary:
    total, mean = math.fsum(values), math.fsum(values) / len(values)
    m2 = math.fsum((value - mean) ** 2 for value in values)
    moments: dict[str, Any] = {"count": len(values), "sum": total, "m2": m2, "min": min(values), "max": max(values), "last": values[-1]}
    return summary(seq_ranges=(), sketch=sketch.of(values), **moments)


@given(
    st.lists(st.lists(st.floats(-1e15, 1e15), min_size=1, max_size=20) | st.none(), min_size=1, max_size=20),
    st.data(),
)
def test_a_sketch_is_judged_alone_wherever_it_stands(piles: list[list[float] | None], data: st.DataObject) -> None:
    """None is a row of an older gateway. One entry in all is shifted by one bucket or value, or gone."""
    rows = [summary_of(pile) if pile else summary() for pile in piles]
    assert not validate(grouped(rows), NOW)[1]
    sketched = [at for at, row in enumerate(rows) if row.sketch]
    if not sketched:
        return
    at = data.draw(st.sampled_from(sketched))
    entries = list(rows[at].sketch)
    entries[data.draw(st.integers(0, len(entries) - 1))] += data.draw(st.sampled_from([1, -1, 2**53, -(2**53), -(2**62)]))
    rows[at] = replace(rows[at], sketch=tuple(entries))
    assert [one.rows.column("row").to_pylist() for one in validate(grouped(rows), NOW)[1]] == [[at]]


def test_a_null_entry_of_a_sketch_sets_its_row_aside() -> None:
    rows = table("summaries", numbered(3))
    holed = rows.set_column(rows.schema.get_field_index("sketch"), "sketch", pa.array([[], [None], []], pa.list_(pa.int64())))
    _, rejected = validate(group_rows([DecodedBatches.of(decode(message_of("summaries", holed)))]), NOW)
    assert [(one.reason, one.rows.column("row").to_pylist()) for one in rejected] == [("null_value", [1])]


@pytest.mark.parametrize("kind", ["summaries", "inferences", "events", "heartbeats", "rejects"])
def test_a_good_batch_of_any_kind_is_not_touched(kind: str) -> None:
    row_group = grouped([one_of(kind)])
    valid, rejected = validate(row_group, NOW)
    assert valid is row_group
    assert not rejected


@pytest.mark.parametrize(
    "change",
    [
        {"readings_stored": -1},
        {"store_bytes": -(2**63)},
        {"batches_cut": 10**12 + 1},
        {"readings_dropped": 2**63 - 1},
        {"dropped_ranges": (3,)},
        {"dropped_ranges": (4, 3)},
        {"dropped_ranges": (3, 4, 4, 5)},
        {"dropped_ranges": (0, 1)},
        {"dropped_ranges": (1, 6)},
        {"dropped_ranges": (1, 2**63 - 1)},
    ],
)
def test_a_ledger_that_makes_no_sense_is_set_aside_and_its_neighbours_go_on(change: dict[str, Any]) -> None:
    sound = replace(one_of("heartbeats"), dropped_ranges=(1, 1, 3, 5))
    valid, rejected = validate(grouped([sound, replace(sound, **change), sound]), NOW)
    assert valid.rows.column("row").to_pylist() == [0, 2]
    assert [(one.reason, one.rows.column("row").to_pylist()) for one in rejected] == [("contradiction", [1])]


@given(st.lists(st.lists(st.integers(-(2**63), 2**63 - 1) | st.integers(-2, 12), max_size=7), min_size=1, max_size=12))
def test_ranges_are_judged_alone_wherever_they_stand(ranges: list[list[int]]) -> None:
    """A sound list is what an interval set writes, of no more numbers than the row has values; intervals that touch are let through."""
    rows = [summary(seq_ranges=tuple(flat)) for flat in ranges]
    bad = [row for one in validate(grouped(rows), NOW)[1] for row in one.rows.column("row").to_pylist()]
    assert bad == [at for at, flat in enumerate(ranges) if not sound(flat, 2)]


def sound(flat: list[int], most: int) -> bool:
    pairs = list(zip(flat[::2], flat[1::2], strict=False))
    ascending = all(low <= high for low, high in pairs) and all(high < low for (_, high), (low, _) in pairwise(pairs))
    inside = all(0 <= number < 2**62 for number in flat)
    return len(flat) % 2 == 0 and ascending and inside and sum(high - low + 1 for low, high in pairs) <= most


def test_a_row_of_any_table_outside_its_partitions_is_set_aside() -> None:
    ancient = DecodedBatches.of(batch([summary()], cut_time=datetime(1999, 1, 1, tzinfo=UTC))).receipts
    written, rejected = within_partitions(TableRows("batches_v1", ancient), NOW)
    assert written is None
    assert rejected is not None
    assert rejected.reason == "time_out_of_range"
