"""Partial summaries keep what a rollup needs of a row, each under its identity, in bytes that later versions read."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.rollup.hours import combined
from pipeline.rollup.partials import Partials, merge, partials
from pipeline.rollup.transform import MARKED, RESULTS
from pipeline.state import UnreadableState
from tests.pipeline.bodies import NOW, summary, with_sites
from tests.pipeline.golden_bytes import golden
from tests.pipeline.rollup.heard import by, merged, windows

BEGIN = int(NOW.timestamp())


def known() -> Partials:
    rows = [summary(value=1 / 3, seq_ranges=(1, 5, 7, 7)), summary("d1", value=-2.5, seq_ranges=(), window_seconds=300)]
    [heard] = merged([by("gw1", 1, rows), by("gw2", 70_000, [summary(value=0.5)])]).values()
    return heard


def test_partial_summaries_are_read_from_the_bytes_of_every_release() -> None:
    heard = Partials.unpack(golden("partials", 1))
    assert (heard.devices, heard.gateways, heard.ranges.tolist()) == (known().devices, known().gateways, known().ranges.tolist())
    assert heard.rows.tolist() == known().rows.tolist()


def test_partial_summaries_are_written_as_this_release_writes_them() -> None:
    assert known().pack() == golden("partials", 1)


def test_results_and_marks_are_written_and_read_as_by_every_release() -> None:
    results, marked = ((60, BEGIN, 2, 1), (3600, BEGIN, 70_000, 0)), {BEGIN: BEGIN + 1, BEGIN + 3600: BEGIN + 9}
    assert (RESULTS.pack(results), RESULTS.unpack(golden("window_results", 1))) == (golden("window_results", 1), results)
    assert (MARKED.pack(marked), MARKED.unpack(golden("marked_hours", 1))) == (golden("marked_hours", 1), marked)


def test_bytes_of_something_else_are_refused() -> None:
    with pytest.raises(UnreadableState, match="state partials"):
        Partials.unpack(golden("seqs", 1))


def test_a_row_that_comes_again_is_the_same_row_and_its_equal_in_another_batch_is_not() -> None:
    once, again, other = by("gw1", 1, [summary()]), by("gw1", 1, [summary()]), by("gw1", 2, [summary()])
    assert {stats.count for stats in windows([once, again]).values()} == {2}
    assert {stats.count for stats in windows([once, again, other]).values()} == {4}


def test_channels_in_other_units_are_not_mixed() -> None:
    keys = [key for key, _ in partials(with_sites([summary(), summary(unit="percent")]))]
    assert sorted(key.unit for key in keys) == ["m3/m3", "percent"]


def test_large_values_do_not_cancel() -> None:
    rows = [summary(value=1e9 + offset) for offset in (0.0, 1.0, 2.0)]
    assert [stats.m2 for stats in windows([with_sites(rows)]).values()] == [pytest.approx(2 * 2.0, rel=1e-6)] * 2


def test_an_hour_of_a_farm_stays_small() -> None:
    rows = [summary(f"d{1 + number % 2}") for number in range(1200)]
    assert sum(len(heard.pack()) for _, heard in partials(with_sites(rows))) < 1200 * 93


@given(st.lists(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 5)), max_size=10), min_size=1, max_size=5))
def test_merged_rows_keep_their_names_and_numbers(batches: list[list[tuple[int, int]]]) -> None:
    drawn = [
        [summary(f"d{1 + number % 2}", count=1 + number, seq_ranges=tuple(range(0, 4 * size, 2))) for number, size in batch]
        for batch in batches
    ]
    row_groups = [by(f"gw{place}", 1, rows) for place, rows in enumerate(drawn) if rows]
    expected = [(row.device_id, f"gw{place}", row.count, row.seq_ranges) for place, rows in enumerate(drawn) for row in rows]
    found = [one for heard in merged(row_groups).values() for one in listed(merge([heard]))] if row_groups else []
    assert sorted(found) == sorted(expected)


def listed(heard: Partials) -> list[tuple[str, str, int, tuple[int, ...]]]:
    ends = np.cumsum(heard.rows["numbers"]).tolist()
    ranges = [tuple(heard.ranges[begin:end].tolist()) for begin, end in zip([0, *ends], ends, strict=False)]
    columns = heard.rows["device"].tolist(), heard.rows["gateway"].tolist(), heard.rows["count"].tolist(), ranges
    return [(heard.devices[device], heard.gateways[gateway], count, some) for device, gateway, count, some in zip(*columns, strict=True)]


@given(st.lists(st.tuples(*[st.integers(0, 2)] * 4), min_size=1, max_size=30), st.sampled_from([3, 2**17, 2**40]))
def test_combinations_of_codes_keep_apart_however_many_there_could_be(rows, size):
    codes = [np.array(column, np.int64) for column in zip(*rows, strict=True)]
    numbers = combined(codes, [size] * 4).tolist()
    assert len(set(numbers)) == len(set(zip(rows, numbers, strict=True))) == len(set(rows))
