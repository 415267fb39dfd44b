"""Thresholds and labels: an event for each change, none for a replay."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edge.config import Threshold
from edge.events import State, crossing
from edge.reading import Taken
from edge.watch import Watch

BAND = Threshold("band", "a", below=10, above=20, hysteresis=2, severity="critical")


def taken(at: int, value: float) -> Taken:
    return Taken("d1", at, at, "synced", None, None, True, {"a": value})


def states(values: list[float]) -> list[str]:
    watch = Watch({})
    for at, value in enumerate(values):
        watch.reading([BAND], taken(at, value))
    return [event.state for event in watch.events]


def test_a_value_on_the_threshold_has_not_crossed_it() -> None:
    assert states([10, 20]) == []


def test_it_is_over_only_beyond_the_hysteresis() -> None:
    assert states([9, 11, 9, 11.9, 12]) == ["low", "normal"]
    assert states([21, 19, 18.1, 18]) == ["high", "normal"]


def test_low_may_become_high_at_once() -> None:
    assert states([9, 21, 9]) == ["low", "high", "low"]


def test_an_event_says_what_was_crossed() -> None:
    low = crossing(BAND, taken(1, 9), None)
    high = crossing(BAND, taken(2, 21), State("low", 1))
    over = crossing(BAND, taken(3, 15), State("high", 2))
    assert low
    assert high
    assert over
    assert [(one.previous_state, one.state, one.threshold, one.severity) for one in (low, high, over)] == [
        ("normal", "low", 10, "critical"),
        ("low", "high", 20, "critical"),
        ("high", "normal", 20, "info"),
    ]


def test_a_reading_from_before_the_last_change_says_nothing() -> None:
    assert crossing(BAND, taken(4, 15), State("low", 5)) is None


def test_a_channel_that_is_absent_says_nothing() -> None:
    assert crossing(Threshold("t", "b", below=1), taken(1, 0), None) is None


@given(st.lists(st.floats(0, 30), max_size=40), st.integers(0, 40))
def test_a_replay_with_the_stored_states_adds_nothing(values: list[float], at: int) -> None:
    whole = Watch({})
    first = Watch({})
    for time, value in enumerate(values):
        whole.reading([BAND], taken(time, value))
    for time, value in enumerate(values[:at]):
        first.reading([BAND], taken(time, value))
    second = Watch({name: value for name, value in first.changed.items() if value is not None})
    for time, value in enumerate(values[at:], at):
        second.reading([BAND], taken(time, value))
    assert first.events + second.events == whole.events


def test_a_state_survives_being_packed() -> None:
    assert State.unpack(State("a:b", -5).pack()) == State("a:b", -5)
