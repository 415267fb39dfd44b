"""What a pattern covers is what no name contradicts."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from program.patterns import is_shadowed, matches


@pytest.mark.parametrize(
    ("pattern", "others"),
    [
        ("soil-1", ["soil-*"]),
        ("soil-*", ["soil-*"]),
        ("soil-1*", ["soil-*", "air-*"]),
        ("a?", ["a*"]),
        ("a[bc]", ["ab", "ac"]),
        ("[!a]*", ["?*"]),
        ("**", ["*"]),
        ("a*", ["a", "a?*"]),
        ("[", ["*"]),
    ],
)
def test_a_pattern_that_others_take_all_names_of_is_shadowed(pattern: str, others: list[str]) -> None:
    assert is_shadowed(pattern, others)


@pytest.mark.parametrize(
    ("pattern", "others"),
    [("soil-*", ["soil-1*"]), ("soil-*", []), ("a*", ["a?*"]), ("?", ["[a-y]"]), ("*", ["?*"]), ("[ab]c", ["ac"]), ("A*", ["a*"])],
)
def test_a_pattern_that_has_a_name_of_its_own_is_not_shadowed(pattern: str, others: list[str]) -> None:
    assert not is_shadowed(pattern, others)


patterns = st.lists(st.sampled_from(["a", "b", "*", "?", "[ab]", "[!a]"]), max_size=4).map("".join)
NAMES = ["".join(letters) for length in range(6) for letters in product("abc", repeat=length)]


@given(patterns, st.lists(patterns, max_size=3))
def test_what_is_shadowed_is_what_no_short_name_contradicts(pattern: str, others: list[str]) -> None:
    assert is_shadowed(pattern, others) == all(matches(name, others) for name in NAMES if matches(name, [pattern]))
