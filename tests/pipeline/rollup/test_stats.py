"""Rollups are the same for any order, bundling and split; too late is marked, never lost."""

from __future__ import annotations

import math
import random
from collections import defaultdict
from dataclasses import fields
from datetime import timedelta
from functools import reduce

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.elements import RowGroup
from pipeline.rollup import stats
from pipeline.rollup.stats import HOUR, Cells, Key, Stats, merge_cells, partials, row, split_late, windows
from schemas.records import SiteWindow, Summary
from tests.pipeline.bodies import NOW, summary, with_sites

Window = tuple[str, str, int, int]


def reference(values: list[tuple[str, str, int, int, list[float]]]) -> dict[Window, tuple[int, float, float, float, float]]:
    """Statistics from the values themselves: (site, channel, start, seconds, values) of each summary."""
    pools: dict[Window, list[float]] = defaultdict(list)
    for site, channel, start, seconds, some in values:
        for length in (60, 3600):
            if start // length == (start + seconds - 1) // length:
                pools[site, channel, length, start // length * length] += some
    hours = {key: pool for key, pool in pools.items() if key[2] == 3600}
    minutes = {key: pool for key, pool in pools.items() if key[2] == 60}
    return {key: described(pool) for key, pool in (hours | minutes).items()}


def described(pool: list[float]) -> tuple[int, float, float, float, float]:
    mean = math.fsum(pool) / len(pool)
    return len(pool), math.fsum(pool), math.fsum((value - mean) ** 2 for value in pool), min(pool), max(pool)


def rolled(batches: list[RowGroup], rng: random.Random) -> dict[Window, Stats]:
    """As the engine would: partials in any order, merged in bundles of any size, bundles merged in any order."""
    pieces = [piece for one in batches for piece in partials(one)]
    rng.shuffle(pieces)
    bundles: list[dict[Key, dict[int, Stats]]] = [defaultdict(dict) for _ in range(rng.randint(1, 4))]
    for key, cells in pieces:
        merge_cells(rng.choice(bundles)[key], cells)
    merged: dict[Key, Cells] = {}
    for bundle in bundles:
        for key, cells in bundle.items():
            merged[key] = merge_cells(dict(merged.get(key, {})), cells)
    return {
        (key.site_id, key.channel, seconds, start): stats for key, cells in merged.items() for seconds, start, stats in windows(key, cells)
    }


summaries = st.tuples(
    st.sampled_from(["d1", "d2"]),
    st.sampled_from(["moisture", "temperature"]),
    st.integers(0, 7300),
    st.sampled_from([10, 60, 300, 7200]),
    st.lists(st.floats(-1e6, 1e6).map(lambda value: round(value, 3)), min_size=1, max_size=5),
)


@given(st.lists(summaries, min_size=1, max_size=25), st.randoms(use_true_random=False))
def test_any_order_and_bundling_gives_what_the_values_give(drawn: list[tuple[str, str, int, int, list[float]]], rng: random.Random) -> None:
    rows = [as_summary(*values) for values in drawn]
    batches, left = [], rows
    while left:
        size = rng.randint(1, len(left))
        batches.append(with_sites(left[:size]))
        left = left[size:]
    start = int(NOW.timestamp())
    site = {"d1": "south", "d2": "north"}
    expected = reference([(site[device], channel, start + at, seconds, pool) for device, channel, at, seconds, pool in drawn])
    results = rolled(batches, rng)
    assert results.keys() == expected.keys()
    for key, (count, total, m2, low, high) in expected.items():
        stats = results[key]
        scale = max(1.0, abs(low), abs(high))
        assert (stats.count, stats.min, stats.max) == (count, low, high)
        assert stats.sum == pytest.approx(total, rel=1e-12, abs=1e-9 * scale)
        assert stats.m2 == pytest.approx(m2, rel=1e-9, abs=1e-9 * scale**2)


def as_summary(device: str, channel: str, at: int, seconds: int, pool: list[float]) -> Summary:
    count, total, m2, low, high = described(pool)
    start = NOW + timedelta(seconds=at)
    return summary(device, start, channel=channel, window_seconds=seconds, count=count, sum=total, m2=m2, min=low, max=high)


def test_channels_in_other_units_are_not_mixed() -> None:
    keys = [key for key, _ in partials(with_sites([summary(), summary(unit="percent")]))]
    assert sorted(key.unit for key in keys) == ["m3/m3", "percent"]


def test_an_hour_is_given_after_its_minutes_and_holds_them() -> None:
    rows = [summary(start=NOW + timedelta(minutes=minute)) for minute in (0, 5, 59)]
    [(key, cells)] = partials(with_sites(rows))
    given_windows = list(windows(key, cells))
    assert [seconds for seconds, _, _ in given_windows] == [60, 60, 60, HOUR]
    assert given_windows[-1][2].summaries == 3
    assert reduce(lambda total, one: total + one[2].count, given_windows[:-1], 0) == given_windows[-1][2].count


def test_a_row_has_the_columns_of_its_table() -> None:
    [(key, cells)] = partials(with_sites([summary()]))
    rows = [row(key, window, 0, "batch", NOW) for window in windows(key, cells)]
    assert [list(one) for one in rows] == [[column.name for column in fields(SiteWindow)]] * 2


def test_large_values_do_not_cancel() -> None:
    rows = [summary(value=1e9 + offset) for offset in (0.0, 1.0, 2.0)]
    [(_, cells)] = partials(with_sites(rows))
    assert next(iter(cells.values())).m2 == pytest.approx(2 * 2.0, rel=1e-6)


def test_a_row_later_than_allowed_marks_its_hour_and_leaves_the_rollup() -> None:
    old = NOW - timedelta(days=8)
    timely, dirty = split_late(with_sites([summary(), summary(start=old), summary(start=old), summary("d2", old)]), timedelta(days=7), NOW)
    assert timely.rows.column("row").to_pylist() == [0]
    assert [(one["site_id"], one["window_start"], one["window_seconds"]) for one in dirty] == [("north", old, HOUR), ("south", old, HOUR)]
    assert {(one["marked_time"], one["batch_id"]) for one in dirty} == {(NOW, "gw1:7:1")}


def test_lateness_counts_from_the_end_of_the_hour() -> None:
    start = NOW - timedelta(days=7, hours=1)
    assert split_late(with_sites([summary(start=start)]), timedelta(days=7), NOW)[1] == []
    assert len(split_late(with_sites([summary(start=start - timedelta(microseconds=1))]), timedelta(days=7), NOW)[1]) == 1


def test_a_message_that_waited_in_the_subscription_is_as_late_as_it_is_read() -> None:
    given_batch = with_sites([summary(start=NOW)])
    assert split_late(given_batch, timedelta(days=7), NOW + timedelta(days=9))[1]


@given(st.lists(st.tuples(*[st.integers(0, 2)] * 4), min_size=1, max_size=30), st.sampled_from([3, 2**17, 2**40]))
def test_combinations_of_codes_keep_apart_however_many_there_could_be(rows, size):
    codes = [np.array(column, np.int64) for column in zip(*rows, strict=True)]
    numbers = stats._combined(codes, [size] * 4).tolist()
    assert len(set(numbers)) == len(set(zip(rows, numbers, strict=True))) == len(set(rows))
