"""Summaries equal the textbook, whatever the order, and add up."""

from __future__ import annotations

import statistics
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.reading import Reading
from edge.summaries.summarise import channel_means, summaries, worst
from edge.window import Window
from schemas import sketch
from schemas.envelope import from_micros
from schemas.records import Summary

VALUES = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30)


def window(readings: list[Reading]) -> Window:
    return Window("d1", 0, 60, False, readings)


def series(values: list[float]) -> list[Reading]:
    return [Reading("d1", at, at + 2000, "synced", "b", at, True, {"a": value}) for at, value in enumerate(values)]


@given(VALUES, st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_matter(values: list[float], rng: Random) -> None:
    readings = series(values)
    shuffled = rng.sample(readings, len(readings))
    assert summaries(window(shuffled), {"a": "m"}) == summaries(window(readings), {"a": "m"})


@given(VALUES)
def test_a_summary_says_what_statistics_say(values: list[float]) -> None:
    (summary,) = summaries(window(series(values)), {"a": "m"})
    assert (summary.count, summary.min, summary.max, summary.last, summary.unit) == (len(values), min(values), max(values), values[-1], "m")
    assert summary.sum == pytest.approx(statistics.fsum(values) if hasattr(statistics, "fsum") else sum(values), abs=1e-6)
    assert summary.m2 == pytest.approx(statistics.pvariance(values) * len(values), rel=1e-9, abs=1e-6)
    assert summary.last_time == from_micros(len(values) - 1)
    assert summary.seq_ranges == (0, len(values) - 1)
    assert summary.sketch == sketch.of(values)
    assert summary.clock_offset_ms == 2.0
    assert channel_means(window(series(values)))["a"] == pytest.approx(statistics.fmean(values), abs=1e-6)


@given(VALUES, VALUES)
def test_two_halves_add_up_to_the_whole(left: list[float], right: list[float]) -> None:
    readings = series(left + right)
    (one,), (other,) = summaries(window(readings[: len(left)]), {}), summaries(window(readings[len(left) :]), {})
    (whole,) = summaries(window(readings), {})
    assert (one.count + other.count, min(one.min, other.min), max(one.max, other.max)) == (whole.count, whole.min, whole.max)
    assert one.sum + other.sum == pytest.approx(whole.sum, abs=1e-6)
    assert sketch.merged([one.sketch, other.sketch]) == whole.sketch
    assert _added_m2(one, other) == pytest.approx(whole.m2, rel=1e-9, abs=1e-3)


def _added_m2(one: Summary, other: Summary) -> float:
    """Chan, Golub and LeVeque, 1979."""
    apart = other.sum / other.count - one.sum / one.count
    return one.m2 + other.m2 + apart**2 * one.count * other.count / (one.count + other.count)


def test_each_channel_has_its_own_summary_and_an_unknown_one_no_unit() -> None:
    readings = [
        Reading("d1", 1, 1, "estimated", None, None, False, {"b": 1.0}),
        Reading("d1", 2, 2, "synced", None, None, False, {"a": 2.0, "b": 3.0}),
    ]
    summary = summaries(window(readings), {"a": "m"})
    assert [(one.channel, one.unit, one.count, one.time_quality, one.clock_offset_ms) for one in summary] == [
        ("a", "m", 1, "synced", None),
        ("b", "", 2, "estimated", None),
    ]


def test_the_worst_time_quality_counts_and_one_that_is_not_known_is_untrusted() -> None:
    assert worst(["synced", "estimated", "synced"]) == "estimated"
    assert worst(["estimated", "untrusted"]) == "untrusted"
    assert worst(["synced", "corrected"]) == "corrected"
    assert worst(["corrected", "estimated"]) == "estimated"
    assert worst(["synced", "perfect"]) == "untrusted"
