"""Rollups are what the letter of the law gives, to the last bit the same for any order, repetition and bundling."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.elements import RowGroup
from pipeline.rollup.stats import DeviceHour
from schemas.intervals import IntervalSet
from schemas.records import Summary
from tests import long_form
from tests.pipeline.bodies import NOW, summary
from tests.pipeline.rollup.heard import at_south, hours, windows
from tests.pipeline.rollup.reference import Heard, counts, described, rolled_up

BEGIN = int(NOW.timestamp())
DRAWS = long_form.number(100, 500)

rows_heard = st.builds(
    Heard,
    gateway=st.sampled_from(["gw1", "gw2", "gw3"]),
    device=st.sampled_from(["d1", "d2"]),
    unit=st.sampled_from(["m3/m3", "m3/m3", "%"]),
    start=st.integers(0, 240).map(lambda step: BEGIN + 15 * step) | st.integers(0, 7300).map(lambda second: BEGIN + second),
    seconds=st.sampled_from([10, 60, 60, 300, 1200, 7200, 2**62]),
    numbers=st.lists(st.integers(0, 15), max_size=4, unique=True).map(tuple),
    values=st.lists(st.floats(-1e6, 1e6).map(lambda value: round(value, 3)), min_size=1, max_size=4).map(tuple),
)


@pytest.fixture(scope="module", autouse=True)
def noted() -> Iterator[None]:
    yield
    long_form.note("R15", measured=f"{DRAWS:,} draws of up to 25 rows, any order, repetition and bundling: equal")


@settings(max_examples=DRAWS)
@given(st.lists(rows_heard, min_size=1, max_size=25, unique=True), st.randoms(use_true_random=False))
def test_any_order_repetition_and_bundling_gives_what_the_law_says(drawn: list[Heard], rng: random.Random) -> None:
    batches = in_batches(drawn, rng)
    expected = rolled_up(drawn)
    found = {(key.unit, seconds, start): stats for (key, seconds, start), stats in windows(batches, rng).items()}
    assert found.keys() == expected.keys()
    for key, (count, total, m2, low, high, summaries) in expected.items():
        stats = found[key]
        scale = max(1.0, abs(low), abs(high))
        assert (stats.count, stats.min, stats.max, stats.summaries) == (count, low, high, summaries)
        assert stats.sum == pytest.approx(total, rel=1e-12, abs=1e-9 * scale)
        assert stats.m2 == pytest.approx(m2, rel=1e-9, abs=1e-9 * scale**2)
    assert hours([*batches, *rng.choices(batches, k=3)], rng) == hours(batches)


@settings(max_examples=DRAWS)
@given(st.lists(rows_heard, min_size=1, max_size=15, unique=True), st.randoms(use_true_random=False))
def test_each_device_has_its_own_hour_of_the_rows_that_count(drawn: list[Heard], rng: random.Random) -> None:
    for key, hour in hours(in_batches(drawn, rng), rng).items():
        of_hour = [row for row in drawn if row.key == (key.unit, key.hour)]
        assert [device.device_id for device in hour.devices] == sorted({row.device for row in of_hour})
        for device in hour.devices:
            count, total, _, low, high = described([row for row in of_hour if row.device == device.device_id and counts(row, of_hour)])
            assert device == DeviceHour(device.device_id, count, pytest.approx(total / count, rel=1e-9, abs=1e-6), low, high)


def in_batches(rows: list[Heard], rng: random.Random) -> list[RowGroup]:
    """Some rows of a gateway at a time, as batches of its own."""
    of_batches = defaultdict(list)
    for row in rows:
        of_batches[row.gateway, rng.randint(1, 5)].append(as_summary(row))
    return [at_south(gateway, seq, some) for (gateway, seq), some in of_batches.items()]


def as_summary(row: Heard) -> Summary:
    count, total, m2, low, high = described([row])
    start = NOW + timedelta(seconds=row.start - BEGIN)
    ranges = IntervalSet.of(row.numbers).flat()
    return summary(
        row.device, start, unit=row.unit, window_seconds=row.seconds, count=count, sum=total, m2=m2, min=low, max=high, seq_ranges=ranges
    )
