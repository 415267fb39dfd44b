"""One back-off: its limit grows, its waits are spread over the whole of it, and settings that contradict each other are refused."""

from __future__ import annotations

from itertools import islice, pairwise
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from program.backoff import Backoff, LimitedBackoff
from program.settings import ConfigError, build
from tests.program.longest import Longest


def test_the_limit_grows_with_each_failure_up_to_the_maximum() -> None:
    backoff = Backoff(initial_interval=0.5, max_interval=10.0, multiplier=3.0)
    assert list(islice(backoff.delays(Longest()), 5)) == [0.5, 1.5, 4.5, 10.0, 10.0]


def test_those_that_fail_together_do_not_come_back_together() -> None:
    delays = sorted(Backoff().delay(6, Random(seed)) for seed in range(1000))
    assert delays[0] < 1
    assert delays[-1] > 31
    assert all(later - earlier < 1 for earlier, later in pairwise(delays))


@given(st.integers(1, 10**9), st.integers(0, 2**32))
def test_a_delay_is_within_its_limit_however_often_it_failed(failures: int, seed: int) -> None:
    assert 0 <= Backoff().delay(failures, Random(seed)) <= min(300.0, 2.0 ** min(failures - 1, 64))


def test_it_gives_up_after_max_elapsed_time() -> None:
    retry = LimitedBackoff(max_elapsed_time=100.0)
    assert [retry.gives_up(elapsed) for elapsed in (0.0, 100.0, 100.1)] == [False, False, True]


def test_zero_never_gives_up() -> None:
    assert not LimitedBackoff(max_elapsed_time=0.0).gives_up(1e12)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"initial_interval": 0}, "initial_interval must be 0.01 to 31622400, not 0"),
        ({"multiplier": 0.5}, "multiplier must be 1.0 to 100.0, not 0.5"),
        ({"max_interval": 0.5}, "max_interval must be at least 1.0, not 0.5"),
        ({"max_elapsed_time": -1}, "max_elapsed_time must be 0 to 31622400, not -1"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, float], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        build(LimitedBackoff, settings, Path())


def test_a_back_off_for_ever_takes_no_end() -> None:
    with pytest.raises(ConfigError, match="max_elapsed_time: unknown setting"):
        build(Backoff, {"max_elapsed_time": 60}, Path())
