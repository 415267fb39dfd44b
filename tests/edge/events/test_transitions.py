"""Thresholds and labels: an event for each change, none for a replay."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from edge.events.threshold_monitor import ThresholdMonitor
from edge.events.transitions import LastChange, crossing
from edge.models.bundle import Bundle
from edge.reading import Reading
from edge.settings.thresholds import Threshold
from edge.store.section import Section
from edge.window import Window
from schemas.records import Inference
from tests.edge.sections import Memory

BAND = Threshold(name="band", channel="a", below=10, above=20, hysteresis=2, severity="critical")


def reading(at: int, value: float) -> Reading:
    return Reading("d1", at, at, "synced", None, None, True, {"a": value})


def states(values: list[float]) -> list[str]:
    monitor = ThresholdMonitor(Section)
    for at, value in enumerate(values):
        monitor.reading([BAND], reading(at, value))
    return [event.state for event in monitor.events]


def test_a_value_on_the_threshold_has_not_crossed_it() -> None:
    assert states([10, 20]) == []


def test_it_is_over_only_beyond_the_hysteresis() -> None:
    assert states([9, 11, 9, 11.9, 12]) == ["low", "normal"]
    assert states([21, 19, 18.1, 18]) == ["high", "normal"]


def test_low_may_become_high_at_once() -> None:
    assert states([9, 21, 9]) == ["low", "high", "low"]


def test_an_event_says_what_was_crossed() -> None:
    low = crossing(BAND, reading(1, 9), None)
    high = crossing(BAND, reading(2, 21), LastChange("low", 1))
    over = crossing(BAND, reading(3, 15), LastChange("high", 2))
    assert low
    assert high
    assert over
    assert [(one.previous_state, one.state, one.threshold, one.severity) for one in (low, high, over)] == [
        ("normal", "low", 10, "critical"),
        ("low", "high", 20, "critical"),
        ("high", "normal", 20, "info"),
    ]


def test_a_reading_from_before_the_last_change_says_nothing() -> None:
    assert crossing(BAND, reading(4, 15), LastChange("low", 5)) is None


def test_a_channel_that_is_absent_says_nothing() -> None:
    assert crossing(Threshold(name="t", channel="b", below=1), reading(1, 0), None) is None


@given(st.lists(st.floats(0, 30), max_size=40), st.integers(0, 40))
def test_a_replay_with_the_stored_states_adds_nothing(values: list[float], at: int) -> None:
    memory = Memory()
    whole, first = ThresholdMonitor(Section), ThresholdMonitor(memory.section)
    for time, value in enumerate(values):
        whole.reading([BAND], reading(time, value))
    for time, value in enumerate(values[:at]):
        first.reading([BAND], reading(time, value))
    memory.commit(first.sections)
    second = ThresholdMonitor(memory.section)
    for time, value in enumerate(values[at:], at):
        second.reading([BAND], reading(time, value))
    assert first.events + second.events == whole.events


ANOMALY = replace(
    Bundle.load(Path(__file__).parents[3] / "models" / "soil"),
    name="shaking",
    labels=("normal", "worn", "failing"),
    thresholds=(1.0, 4.0),
    normal_label="normal",
    severities={"normal": "info", "worn": "warning", "failing": "critical"},
    hysteresis=0.5,
)


def inference(at: int, score: float) -> tuple[Inference, Window]:
    start = datetime.fromtimestamp(at, UTC)
    row = Inference(
        device_id="d1",
        window_start=start,
        window_seconds=1,
        model="shaking",
        model_version="1",
        model_sha256="",
        runtime="",
        label=ANOMALY.label(score),
        score=score,
        uncertainty=0.0,
        features=(),
        time_quality="synced",
    )
    return row, Window("d1", at * 1_000_000, 1, late=False)


def labels(scores: list[float]) -> list[tuple[str | None, str, str]]:
    monitor = ThresholdMonitor(Section)
    for at, score in enumerate(scores):
        monitor.inference(*inference(at, score), ANOMALY)
    return [(event.previous_state, event.state, event.severity) for event in monitor.events]


def test_the_bundle_says_what_is_best_and_what_matters() -> None:
    assert labels([0, 0.9]) == []
    assert labels([5, 0]) == [(None, "failing", "critical"), ("failing", "normal", "info")]


def test_a_label_near_its_threshold_does_not_flap() -> None:
    assert labels([1.0, 0.9, 1.1, 0.6, 0.5]) == [(None, "worn", "warning")]
    assert labels([1.0, 0.9, 0.4]) == [(None, "worn", "warning"), ("worn", "normal", "info")]
    assert labels([4.0, 3.9, 3.4, 3.9]) == [(None, "failing", "critical"), ("failing", "worn", "warning")]


@given(st.lists(st.floats(0, 6), max_size=40), st.integers(0, 40))
def test_labels_that_changed_before_a_restart_raise_no_event_again(scores: list[float], at: int) -> None:
    memory = Memory()
    whole, first = ThresholdMonitor(Section), ThresholdMonitor(memory.section)
    for time, score in enumerate(scores):
        whole.inference(*inference(time, score), ANOMALY)
    for time, score in enumerate(scores[:at]):
        first.inference(*inference(time, score), ANOMALY)
    memory.commit(first.sections)
    second = ThresholdMonitor(memory.section)
    for time, score in enumerate(scores):
        second.inference(*inference(time, score), ANOMALY)
    assert first.events + second.events == whole.events


def test_a_last_change_survives_being_packed() -> None:
    assert LastChange.unpack(LastChange("a:b", -5).pack()) == LastChange("a:b", -5)
