"""The merge law gives what the values give, for any order and grouping."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from math import fsum

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import moments


@dataclass(frozen=True)
class Values:
    """Some values and their moments, each computed by its definition."""

    count: int
    sum: float
    m2: float
    min: float
    max: float


def of(values: list[float]) -> Values:
    mean = fsum(values) / len(values)
    return Values(len(values), fsum(values), fsum((value - mean) ** 2 for value in values), min(values), max(values))


def merged(a: Values, b: Values) -> Values:
    return Values(*moments.merge(a, b))


def close(expected: Values, scale: float) -> Values:
    def near(value: float, size: float) -> float:
        return pytest.approx(value, rel=1e-9, abs=1e-9 * size)

    return Values(expected.count, near(expected.sum, scale), near(expected.m2, scale * scale), expected.min, expected.max)


NAMES = ("count", "sum", "m2", "min", "max")
GROUPS = st.lists(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=10), min_size=1, max_size=10)


@given(GROUPS, st.randoms(use_true_random=False))
def test_any_order_and_grouping_gives_the_moments_of_all_values(groups: list[list[float]], random) -> None:
    values = [value for group in groups for value in group]
    shuffled = random.sample(groups, len(groups))
    expected, scale = of(values), 1 + max(map(abs, values)) * len(values)
    assert reduce(merged, map(of, groups)) == close(expected, scale)
    assert reduce(merged, map(of, shuffled)) == close(expected, scale)


@given(*[st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=5)] * 3)
def test_merging_is_associative(a: list[float], b: list[float], c: list[float]) -> None:
    left = merged(merged(of(a), of(b)), of(c))
    assert left == close(merged(of(a), merged(of(b), of(c))), 1 + max(map(abs, [*a, *b, *c])) * 15)


@given(st.lists(GROUPS, min_size=1, max_size=5))
def test_many_groups_at_once_have_the_moments_of_each_merged_pair_by_pair(groups: list[list[list[float]]]) -> None:
    sets = [of(values) for group in groups for values in group]
    columns = moments.MomentColumns(*(np.array([getattr(values, name) for values in sets]) for name in NAMES))
    starts = np.cumsum([0, *map(len, groups)])[:-1]
    merged_groups = moments.merge_groups(columns, starts)
    for group, *row in zip(groups, *(getattr(merged_groups, name).tolist() for name in NAMES), strict=True):
        scale = 1 + max(abs(value) for values in group for value in values) * sum(map(len, group))
        assert Values(*row) == close(reduce(merged, map(of, group)), scale)


def test_sets_with_the_same_mean_add_their_squares_alone() -> None:
    assert moments.merge(of([1.0, 3.0]), of([0.0, 4.0])) == (4, 8.0, 10.0, 0.0, 4.0)
    assert moments.merge(of([0.0]), of([2.0])) == (2, 2.0, 2.0, 0.0, 2.0)
