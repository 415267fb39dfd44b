"""The interval set is a set of integers, whatever the order and repetition of what is added."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.intervals import IntervalSet

numbers = st.lists(st.integers(-30, 30), max_size=60)


@given(numbers)
def test_it_holds_what_a_set_holds(added: list[int]) -> None:
    intervals, model = IntervalSet(), set()
    for number in added:
        assert intervals.add(number) == (number not in model)
        model.add(number)
    assert list(intervals) == sorted(model)
    assert len(intervals) == len(model)
    assert all((number in intervals) == (number in model) for number in range(-32, 33))


@given(numbers, st.randoms())
def test_order_does_not_matter(added: list[int], random: object) -> None:
    shuffled = added * 2
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert IntervalSet.of(added) == IntervalSet.of(shuffled)


@given(numbers, numbers)
def test_update_is_union(left: list[int], right: list[int]) -> None:
    intervals = IntervalSet.of(left)
    intervals.update(IntervalSet.of(right))
    assert set(intervals) == set(left) | set(right)


@given(numbers)
def test_the_flat_form_round_trips(added: list[int]) -> None:
    intervals = IntervalSet.of(added)
    assert IntervalSet(intervals.flat()) == intervals


@given(st.integers(-30, 30), st.integers(0, 20), numbers)
def test_an_interval_is_all_its_numbers(first: int, length: int, added: list[int]) -> None:
    intervals = IntervalSet.of(added)
    intervals.add_interval(first, first + length)
    assert set(intervals) == set(added) | set(range(first, first + length + 1))


@pytest.mark.parametrize("flat", [(1,), (2, 1), (1, 2, 3, 4), (5, 6, 1, 2), (1, 5, 3, 9)])
def test_a_flat_form_that_is_none_is_refused(flat: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"pairs|intervals"):
        IntervalSet(flat)


@given(st.lists(st.integers(-50, 50)))
def test_filled_at_once_it_is_what_it_is_filled_one_by_one(numbers: list[int]) -> None:
    one_by_one = IntervalSet()
    for number in numbers:
        one_by_one.add(number)
    assert IntervalSet.of(numbers) == one_by_one
    assert IntervalSet(IntervalSet.of(numbers).flat()) == one_by_one
