"""A child's answer is what it prints; why it has none is what it said last."""

from __future__ import annotations

import pytest

from program.child import ChildFailed, answer


def test_what_a_module_prints_is_its_answer() -> None:
    assert answer("json.tool", "--compact", seconds=60, given='{"a": 1}') == '{"a":1}\n'


def test_a_command_that_fails_says_why_without_the_word_before_it() -> None:
    with pytest.raises(ChildFailed, match=r"^there is no command 'nothing'"):
        answer("tinybeam", "nothing", seconds=60)


def test_a_module_that_is_not_there_is_said() -> None:
    with pytest.raises(ChildFailed, match=r"No module named nothing_of_ours"):
        answer("nothing_of_ours", seconds=60)
