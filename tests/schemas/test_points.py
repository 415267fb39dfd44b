"""What is read off points is what the raw readings say, however they were split, repeated and mixed."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.points import LONGEST_GAP_US, Increase, Point, Stay, increase, stays, union
from tests.raw_readings import Raw, rise, seconds_in, times_entered

START, END = 100_000_000, 160_000_000
TIMES = st.integers(START - 40_000_000, END - 1).map(lambda time: time - time % 1_000_000)
STATES = st.lists(st.tuples(TIMES, st.sampled_from([0.0, 1.0, 2.0])), min_size=1, max_size=12)
COUNTS = st.lists(st.tuples(TIMES, st.integers(0, 12).map(float)), min_size=1, max_size=12)


def mixed(readings: list[tuple[int, float]], rng: Random) -> list[Point]:
    """Some overlapping parts of the readings, put together again."""
    points = [Point(*one) for one in readings]
    parts = [rng.sample(points, rng.randint(0, len(points))) for _ in range(3)]
    return union(*parts, rng.sample(points, len(points)))


@given(STATES, st.randoms(use_true_random=False))
def test_time_in_states_is_that_of_the_raw_readings(readings: list[tuple[int, float]], rng: Random) -> None:
    told, raw = stays(mixed(readings, rng), START, END), [Raw(*one) for one in readings]
    for state in (0.0, 1.0, 2.0):
        stay = told.get(state, Stay())
        assert (stay.us / 1e6, stay.entered) == (seconds_in(raw, START, END, state), times_entered(raw, START, END, state))


@given(COUNTS, st.sampled_from([None, 12.0, 100.0]), st.randoms(use_true_random=False))
def test_what_a_counter_rose_by_is_what_the_raw_readings_say(
    readings: list[tuple[int, float]], wraps_at: float | None, rng: Random
) -> None:
    told = increase(mixed(readings, rng), START, wraps_at)
    assert (told and told[:2]) == rise([Raw(*one) for one in readings], START, END, wraps_at)


@pytest.mark.parametrize(
    ("values", "wraps_at", "rose"),
    [
        ([5, 7, 7, 9], None, (4, 0)),
        ([60_000, 5], None, (5, 1)),
        ([60_000, 5], 65_536.0, (5_541, 0)),
        ([100, 5], 65_536.0, (5, 1)),
        ([70_000, 5], 65_536.0, (5, 1)),
        ([3, 0, 3], None, (3, 1)),
    ],
)
def test_a_fall_is_a_reset_or_a_wrap(values: list[float], wraps_at: float | None, rose: tuple[float, int]) -> None:
    points = [Point(START + at, value) for at, value in enumerate(values)]
    assert increase(points, START, wraps_at) == Increase(*rose, START)


def test_without_a_reading_before_nothing_is_known_and_it_is_not_nought() -> None:
    one = [Point(START + 20_000_000, 1.0)]
    assert increase(one, START) is None
    assert stays(one, START, END) == {1.0: Stay(40_000_000, 0)}


@pytest.mark.parametrize(("gap", "known"), [(LONGEST_GAP_US, True), (LONGEST_GAP_US + 1, False)])
def test_over_more_than_a_day_nothing_is_known(gap: int, known: bool) -> None:
    points = [Point(START - gap, 1.0), Point(START + 20_000_000, 1.0)]
    assert (increase(points, START) is not None) == known
    assert stays(points, START, END)[1.0].us == (60_000_000 if known else 40_000_000)
