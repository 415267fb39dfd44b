"""A device counts once, by whatever gateways it is heard: what is shared once, what only one heard too."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.elements import RowGroup
from pipeline.rollup.stats import HOUR, Stats
from schemas.intervals import IntervalSet
from schemas.records import Summary
from tests.pipeline.bodies import NOW, summary
from tests.pipeline.rollup.heard import by, windows


def minute(number: float) -> Any:
    return NOW + timedelta(minutes=number)


def row(numbers: range | list[int], start: float = 0, minutes: float = 1, **changes: Any) -> Summary:
    """A row of readings whose values are their numbers."""
    values = list(numbers)
    mean = sum(values) / len(values)
    return summary(
        start=minute(start),
        window_seconds=int(60 * minutes),
        count=len(values),
        sum=float(sum(values)),
        m2=sum((value - mean) ** 2 for value in values),
        min=float(min(values)),
        max=float(max(values)),
        seq_ranges=IntervalSet.of(values).flat(),
        **changes,
    )


def hour(*batches: RowGroup) -> Stats:
    [stats] = [stats for (_, seconds, _), stats in windows(batches).items() if seconds == HOUR]
    return stats


def minutes(*batches: RowGroup) -> dict[float, int]:
    """Counts of the minutes that are there."""
    begin = int(NOW.timestamp())
    return {(start - begin) / 60: stats.count for (_, seconds, start), stats in windows(batches).items() if seconds == 60}


def test_what_two_gateways_heard_alike_counts_once() -> None:
    rows = [row(range(1, 11), 0), row(range(11, 21), 1)]
    assert hour(by("gw1", 1, rows), by("gw2", 1, rows)) == Stats(count=20, sum=210.0, m2=665.0, min=1.0, max=20.0, summaries=4)
    assert minutes(by("gw1", 1, rows), by("gw2", 1, rows)) == {0: 10, 1: 10}


def test_who_heard_more_counts() -> None:
    assert hour(by("gw1", 1, [row(range(1, 8))]), by("gw2", 1, [row(range(1, 11))])).count == 10


def test_what_only_the_other_gateway_heard_of_a_roaming_device_is_added() -> None:
    roaming = by("gw1", 1, [row(range(1, 6))]), by("gw2", 1, [row(range(6, 11))])
    assert (hour(*roaming).count, minutes(*roaming)) == (10, {0: 10})


def test_each_window_has_its_own_winner() -> None:
    first = by("gw1", 1, [row(range(1, 11), 0), row([11, 12], 1)])
    second = by("gw2", 1, [row([3, 4, 5], 0), row(range(11, 21), 1), row(range(21, 31), 2)])
    assert (hour(first, second).count, minutes(first, second)) == (30, {0: 10, 1: 10, 2: 10})


def test_a_late_row_with_what_the_winner_missed_is_added() -> None:
    first = by("gw1", 1, [row([1, 2, 3, 5, 6])])
    second = by("gw2", 1, [row([1, 2, 3]), row([4], late=True)])
    assert hour(first, second).count == 6


def test_what_two_rows_share_in_part_cannot_be_taken_apart() -> None:
    assert hour(by("gw1", 1, [row(range(1, 6))]), by("gw2", 1, [row(range(4, 9))])).count == 5


def test_the_name_decides_between_gateways_that_heard_as_much() -> None:
    assert hour(by("gw2", 1, [row(range(4, 9))]), by("gw1", 1, [row(range(1, 6))])).min == 1.0


def test_without_numbers_only_the_first_gateway_of_a_window_counts() -> None:
    first = [summary(start=minute(0), count=3, seq_ranges=()), summary(start=minute(2), count=3, seq_ranges=())]
    second = [summary(start=minute(0), count=2, seq_ranges=()), summary(start=minute(1), count=2, seq_ranges=())]
    assert minutes(by("gw1", 1, first), by("gw2", 1, second)) == {0: 3, 1: 2, 2: 3}


@pytest.mark.parametrize("numbered", ["gw1", "gw2"])
def test_numbers_at_one_gateway_alone_show_nothing(numbered: str) -> None:
    rows = {name: summary(count=3, seq_ranges=(1, 3) if name == numbered else ()) for name in ("gw1", "gw2")}
    assert hour(*(by(name, 1, [one]) for name, one in rows.items())).count == 3


def test_of_three_gateways_each_is_compared_with_all_that_are_ranked_higher() -> None:
    first, second = by("gw1", 1, [row(range(1, 11))]), by("gw2", 1, [row(range(11, 16))])
    assert hour(first, second, by("gw3", 1, [row(range(14, 17))])).count == 15
    assert hour(first, second, by("gw3", 1, [row([21, 22])])).count == 17


def test_runs_that_are_held_from_other_starts_are_compared_where_they_overlap() -> None:
    first = by("gw1", 1, [row(range(1, 11), 0, 10), row(range(11, 21), 10, 10)])
    second = by("gw2", 1, [row(range(6, 16), 5, 10), row(range(31, 34), 30, 3)])
    assert hour(first, second).count == 23


def test_a_run_that_does_not_count_covers_no_minute() -> None:
    complete = by("gw1", 1, [row(range(10 * n, 10 * n + 10), n) for n in range(5)])
    assert minutes(complete, by("gw2", 1, [row(range(35), 0, 5)])) == dict.fromkeys(range(5), 10)


def test_a_minute_under_a_run_that_counts_is_not_there() -> None:
    single = row(range(100, 110), 3, device_id="d1")
    found = minutes(by("gw1", 1, [single, row(range(20), 2, 3), row(range(110, 120), 5)]))
    assert found == {5: 10}


@given(st.data())
def test_one_gateway_that_heard_all_makes_every_hour_that_of_the_readings(data: st.DataObject) -> None:
    """Whatever another one heard, and whatever runs each of them held."""
    heard = {n: data.draw(st.sets(st.integers(5 * n, 5 * n + 4)), f"minute {n}") for n in range(12)}
    everything = {n: set(range(5 * n, 5 * n + 5)) for n in range(12)}
    names = data.draw(st.permutations(["gw1", "gw2"]))
    batches = [by(name, 1, held(data, minutes)) for name, minutes in zip(names, (everything, heard), strict=True) if any(minutes.values())]
    stats = hour(*batches)
    assert (stats.count, stats.sum, stats.min, stats.max) == (60, sum(range(60)), 0.0, 59.0)


def held(data: st.DataObject, heard: dict[int, set[int]]) -> list[Summary]:
    """Rows of whole minutes, runs of minutes in one row now and then."""
    rows, run = [], []
    for number, numbers in heard.items():
        run = [*run, number] if numbers else run
        if run and (not numbers or number == max(heard) or data.draw(st.booleans())):
            values = sorted(set().union(*(heard[one] for one in run)))
            rows.append(row(values, run[0], run[-1] - run[0] + 1))
            run = []
    return rows
