"""A sketch is the same whatever was merged in which order, and its quantiles are within 1 % of the exact ones."""

from __future__ import annotations

from math import ceil, inf, nan
from random import Random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from schemas import sketch

FINITE = st.floats(-sketch.LARGEST, sketch.LARGEST) | st.floats(-1e15, 1e15) | st.floats(-1.0, 1.0) | st.floats(-1e-10, 1e-10)
SHARES = st.floats(0, 1) | st.sampled_from([0.0, 0.01, 0.05, 0.07, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0])


def exact(values: list[float], q: float) -> float:
    """The smallest value whose share of values up to it is at least q: by counting, not by a rank."""
    return min(value for value in values if sum(other <= value for other in values) / len(values) >= q)


@given(st.lists(FINITE, max_size=60), st.integers(1, 6), st.randoms(use_true_random=False))
def test_any_partition_merged_in_any_order_is_the_sketch_of_all_values(values: list[float], parts: int, chance: Random) -> None:
    piles: list[list[float]] = [[] for _ in range(parts)]
    for value in values:
        chance.choice(piles).append(value)
    heap = [sketch.of(pile) for pile in piles]
    while len(heap) > 1:
        some = [heap.pop(chance.randrange(len(heap))) for _ in range(min(len(heap), chance.randint(2, 3)))]
        heap.append(sketch.merged(some))
    assert heap[0] == sketch.of(values)


@given(st.lists(FINITE, min_size=1, max_size=60), SHARES)
@example([1e15], 1.0)
@example([-1e15, 1e15], 0.5)
@example([-sketch.LARGEST, sketch.LARGEST], 0.0)
@example([5e-324, -5e-324, 0.0, -0.0], 0.5)
@example([-sketch.SMALLEST, sketch.SMALLEST], 0.0)
@example([float(number) for number in range(1, 101)], 0.07)
def test_a_quantile_is_within_one_percent_of_the_exact_one(values: list[float], q: float) -> None:
    answer, wanted = sketch.quantile(sketch.of(values), q), exact(values, q)
    assert answer is not None
    assert abs(answer - wanted) <= max(sketch.ACCURACY * abs(wanted) * (1 + 1e-9), sketch.SMALLEST)
    assert (answer == 0) == (abs(wanted) < sketch.SMALLEST)


@given(FINITE, FINITE)
def test_buckets_are_in_the_order_of_values(one: float, other: float) -> None:
    low, high = sorted([one, other])
    assert 1 <= sketch.bucket(low) <= sketch.bucket(high) < sketch.BUCKETS
    assert sketch.bucket(-low) == sketch.BUCKETS - sketch.bucket(low)


@given(st.lists(FINITE, max_size=60))
def test_entries_ascend_count_every_value_and_are_exact_in_any_tool(values: list[float]) -> None:
    entries = sketch.of(values)
    assert list(entries) == sorted(entries)
    assert len({entry // sketch.ONE_BUCKET for entry in entries}) == len(entries)
    assert sum(entry % sketch.ONE_BUCKET for entry in entries) == len(values)
    assert all(entry == int(float(entry)) for entry in entries)


def test_sixty_like_values_take_few_buckets() -> None:
    chance = Random(1)
    moisture = [0.3 + chance.gauss(0, 0.003) for _ in range(60)]
    assert len(sketch.of(moisture)) <= ceil((max(moisture) / min(moisture) - 1) / 0.02) + 1


@pytest.mark.parametrize("value", [nan, inf, -inf, 1.1 * sketch.LARGEST, -1.1 * sketch.LARGEST])
def test_what_has_no_bucket_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="not a number"):
        sketch.of([1.0, value])


def test_of_no_values_there_is_no_quantile() -> None:
    assert sketch.quantile((), 0.5) is None


def test_a_part_without_a_sketch_makes_the_quantile_unknown() -> None:
    part = sketch.merged([sketch.of([1.0, 2.0]), (-3,), (-4,)])
    assert part == (-7, *sketch.of([1.0, 2.0]))
    assert sketch.quantile(part, 0.5) is None


@pytest.mark.parametrize("q", [-0.01, 1.01, 95.0, nan])
def test_a_share_beyond_0_to_1_is_refused(q: float) -> None:
    with pytest.raises(ValueError, match="share"):
        sketch.quantile(sketch.of([1.0]), q)


def test_more_values_than_a_sketch_counts_are_refused() -> None:
    most = (sketch.bucket(1.0) * sketch.ONE_BUCKET + sketch.ONE_BUCKET - 1,)
    assert sketch.merged([most]) == most
    with pytest.raises(ValueError, match="more than"):
        sketch.merged([most, sketch.of([2.0])])


@given(st.floats(-sketch.LARGEST, sketch.LARGEST) | st.floats(-1e-11, 1e-11))
def test_a_value_is_within_the_bounds_of_its_bucket_and_of_none_far_from_it(value: float) -> None:
    lows, highs = sketch.bounds()
    number = sketch.bucket(value)
    assert lows[number] <= value <= highs[number]
    assert not any(lows[other] <= value <= highs[other] for other in (number - 3, number + 3) if abs(value) > 2 * sketch.SMALLEST)
