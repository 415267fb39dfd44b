"""Summaries that were thinned say what the readings say, only not at which minute."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict, replace
from datetime import timedelta
from itertools import pairwise
from math import fsum
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.reading import Reading
from edge.summaries.summarise import MAX_SEQ_RANGES, summaries
from edge.summaries.thin import STEPS, thinned
from edge.window import Window
from schemas import sketch
from schemas.envelope import micros
from schemas.intervals import IntervalSet
from schemas.records import Summary
from tests.edge.gateways import START

MINUTE = 60_000_000
Reference = dict[tuple[str, str, bool], list[Reading]]


def reading(device: str, minute: int, number: int, value: float) -> Reading:
    event_us = micros(START) + minute * MINUTE + number % 60 * 1_000_000
    return Reading(device, event_us, event_us, "synced", None, number, True, {"moisture": value})


def windows(readings: list[tuple[Reading, bool]]) -> list[Summary]:
    """The summaries of minutes, late ones apart."""
    opened: dict[tuple[str, int, bool], Window] = {}
    for each, late in readings:
        start = each.event_us // MINUTE * MINUTE
        opened.setdefault((each.device_id, start, late), Window(each.device_id, start, 60, late)).add(each)
    return [row for window in opened.values() for row in summaries(window, {"moisture": "m3/m3"})]


def rows(given: list[Summary]) -> list[dict[str, Any]]:
    return [asdict(row) for row in given]


READINGS = st.lists(
    st.tuples(st.sampled_from(["d1", "d2"]), st.integers(0, 130), st.floats(-5, 5, allow_subnormal=False), st.booleans()),
    min_size=1,
    max_size=60,
)


@given(READINGS, st.permutations(range(60)))
@settings(max_examples=60)
def test_in_any_order_and_step_by_step_each_row_is_what_its_readings_say(
    given: list[tuple[str, int, float, bool]], order: list[int]
) -> None:
    readings = [(reading(device, minute, number, value), late) for number, (device, minute, value, late) in enumerate(given)]
    whole = windows(readings)
    shuffled = [whole[at] for at in order if at < len(whole)]
    for seconds in STEPS:
        by_row: defaultdict[int, list[Reading]] = defaultdict(list)
        shuffled = thinned(rows(shuffled), seconds)
        for each, late in readings:
            [place] = [at for at, row in enumerate(shuffled) if row.device_id == each.device_id and row.late == late and is_of(row, each)]
            by_row[place].append(each)
        for place, row in enumerate(shuffled):
            assert_is(row, by_row[place], seconds)
        keys = sorted((row.device_id, row.late, micros(row.window_start) // (seconds * 1_000_000)) for row in shuffled)
        assert all(one != other for one, other in pairwise(keys)), "two windows of an interval are left"


def is_of(row: Summary, each: Reading) -> bool:
    return 0 <= each.event_us - micros(row.window_start) < row.window_seconds * 1_000_000


def assert_is(row: Summary, readings: list[Reading], seconds: int) -> None:
    values = [each.values["moisture"] for each in readings]
    mean = fsum(values) / len(values)
    assert (row.count, row.min, row.max) == (len(values), min(values), max(values))
    assert row.seq_ranges == IntervalSet.of(each.seq or 0 for each in readings).flat()
    assert row.sketch == sketch.of(values)
    assert row.sum == pytest.approx(fsum(values), abs=1e-9)
    assert row.m2 == pytest.approx(fsum((value - mean) ** 2 for value in values), abs=1e-9)
    assert (micros(row.last_time), row.last) == max((each.event_us, each.values["moisture"]) for each in readings)
    assert row.window_seconds <= seconds
    assert (row.fidelity is None) == (row.window_seconds == 60) or row.late or row.fidelity in STEPS


def test_a_window_that_lies_in_two_intervals_stays_as_it_is() -> None:
    [row] = windows([(reading("d1", 14, 1, 0.3), False)])
    long = replace(row, window_seconds=120)
    assert thinned(rows([long]), 900) == [long]
    assert thinned(rows([long, replace(row, window_start=row.window_start + timedelta(minutes=3))]), 3600)[0].window_seconds == 240


def test_numbers_with_many_gaps_are_left_in_several_rows() -> None:
    gaps = tuple(number for at in range(MAX_SEQ_RANGES) for number in (3 * at, 3 * at))
    [row] = windows([(reading("d1", 0, 1, 0.3), False)])
    wide = [replace(row, count=MAX_SEQ_RANGES, seq_ranges=tuple(number + shift for number in gaps)) for shift in (0, 10_000)]
    assert len(thinned(rows(wide), 900)) == 2
