"""Features: the recipe's operations, what the memory survives, and when there are no inputs."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.models.features import advance
from edge.models.recipe import Recipe, RecipeError

START = datetime(2026, 5, 1, tzinfo=UTC)
STEPS = [
    {"name": "smooth", "op": "ewma", "of": ["level"], "hours": 6},
    {"name": "high", "op": "peak", "of": ["level"], "hours": 48},
    {"name": "low", "op": "trough", "of": ["level"], "hours": 48},
    {"name": "fall", "op": "difference", "of": ["smooth", "level"]},
    {"name": "size", "op": "magnitude", "of": ["fall"]},
    {"name": "share", "op": "ratio", "of": ["level", "high"], "floor": 0.1},
    {"name": "present", "op": "last", "of": ["level"]},
    {"name": "age", "op": "age", "hours": 24},
]
NAMES = [step["name"] for step in STEPS]
SOIL = Path(__file__).parents[3] / "models" / "soil" / "manifest.json"


def recipe(**changes: Any) -> Recipe:
    return Recipe.parse({"young_hours": 2, "gap_hours": 24, "steps": STEPS, "inputs": NAMES, **changes}, ("level",))


def run(levels: list[float], seconds: int = 3600, over: Recipe | None = None) -> dict[str, float]:
    memory, inputs = None, None
    for number, level in enumerate(levels):
        memory, inputs = advance(over or recipe(), memory, START + number * timedelta(seconds=seconds), seconds, {"level": level})
    assert inputs is not None
    return dict(zip(NAMES, inputs, strict=True))


def test_each_operation_gives_its_number() -> None:
    found = run([1.0, 3.0])
    keep, fade = math.exp(-1 / 6), math.exp(-1 / 48)
    assert found["smooth"] == pytest.approx(3 - 2 * keep)
    assert found["high"] == 3.0
    assert found["low"] == pytest.approx(3 - 2 * fade)
    assert found["fall"] == pytest.approx(found["smooth"] - 3)
    assert found["size"] == pytest.approx(3 - found["smooth"])
    assert found["share"] == 1.0
    assert found["present"] == 3.0
    assert found["age"] == pytest.approx(2 / 24)


def usual(levels: list[float], seconds: int = 3600, hours: float = 6) -> float:
    parsed = recipe(steps=[{"name": "usual", "op": "usual", "of": ["level"], "hours": hours}], inputs=["usual"])
    memory, inputs = None, None
    for number, level in enumerate(levels):
        memory, inputs = advance(parsed, memory, START + number * timedelta(seconds=seconds), seconds, {"level": level})
    assert inputs is not None
    return inputs[0]


def test_what_is_usual_weighs_a_short_history_evenly() -> None:
    assert usual([1.0, 3.0, 8.0]) == pytest.approx(4.0)
    assert usual([1.0] * 720 + [3.0] * 1440, seconds=5) == pytest.approx(usual([1.0, 3.0, 3.0]), abs=0.01)


def test_what_is_usual_follows_a_long_history_like_a_weighted_mean() -> None:
    assert usual([0.0] * 500 + [1.0] * 3) == pytest.approx(1 - math.exp(-3 / 6))


def test_windows_of_five_seconds_and_of_an_hour_give_the_same_features() -> None:
    fine, coarse = run([5.0] * 720 + [1.0] * 720 * 12, 5), run([5.0] + [1.0] * 12, 3600)
    assert fine == pytest.approx(coarse, abs=0.01)


def test_memory_too_young_gives_no_inputs() -> None:
    memory, inputs = advance(recipe(), None, START, 3600, {"level": 1.0})
    assert inputs is None
    assert advance(recipe(), memory, START + timedelta(hours=1), 3600, {"level": 1.0})[1] is not None


@pytest.mark.parametrize("means", [{}, {"other": 1.0}, {"level": math.nan}, {"level": math.inf}])
def test_a_missing_channel_gives_no_inputs_and_leaves_the_memory(means: dict[str, float]) -> None:
    memory, _ = advance(recipe(), None, START, 7200, {"level": 1.0})
    assert advance(recipe(), memory, START + timedelta(hours=2), 3600, means) == (memory, None)


def test_a_window_already_seen_gives_no_inputs_and_leaves_the_memory() -> None:
    memory, _ = advance(recipe(), None, START, 7200, {"level": 1.0})
    assert advance(recipe(), memory, START, 7200, {"level": 9.0}) == (memory, None)


def test_after_a_long_silence_history_must_grow_again_but_the_extremes_are_kept() -> None:
    memory, _ = advance(recipe(), None, START, 7200, {"level": 9.0})
    memory, inputs = advance(recipe(), memory, START + timedelta(hours=30), 3600, {"level": 1.0})
    assert inputs is None
    _, inputs = advance(recipe(), memory, START + timedelta(hours=31), 3600, {"level": 1.0})
    assert inputs is not None
    assert inputs[NAMES.index("high")] > 4.0


def test_a_clock_that_came_back_from_the_future_does_not_silence_a_device_for_ever() -> None:
    memory, _ = advance(recipe(), None, START + timedelta(days=3650), 3600, {"level": 9.0})
    memory, _ = advance(recipe(), memory, START, 3600, {"level": 1.0})
    _, inputs = advance(recipe(), memory, START + timedelta(hours=1), 3600, {"level": 1.0})
    assert inputs is not None
    assert inputs[NAMES.index("high")] == 1.0


@pytest.mark.parametrize("memory", [b"", b"x", b"\0" * 48, b"\xff" * 200])
def test_a_memory_that_is_not_ours_counts_as_none(memory: bytes) -> None:
    assert advance(recipe(), memory, START, 7200, {"level": 1.0}) == advance(recipe(), None, START, 7200, {"level": 1.0})


def test_a_memory_of_another_recipe_counts_as_none() -> None:
    old, _ = advance(recipe(gap_hours=25), None, START, 7200, {"level": 9.0})
    assert advance(recipe(), old, START, 7200, {"level": 1.0}) == advance(recipe(), None, START, 7200, {"level": 1.0})


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(5, 3600)), min_size=1, max_size=40))
def test_the_same_windows_give_the_same_bytes_and_finite_inputs(windows: list[tuple[float, int]]) -> None:
    def replayed() -> tuple[bytes | None, Any]:
        memory, inputs, now = None, None, START
        for level, seconds in windows:
            memory, inputs = advance(recipe(young_hours=0.001), memory, now, seconds, {"level": level})
            now += timedelta(seconds=seconds)
        return memory, inputs

    memory, inputs = replayed()
    assert (memory, inputs) == replayed()
    assert inputs is not None
    assert all(map(math.isfinite, inputs))


def test_a_manifest_may_give_hours_to_a_step_that_does_not_read_them() -> None:
    present = {"name": "present", "op": "last", "of": ["level"], "hours": 3, "floor": 0}
    assert advance(recipe(steps=[present], inputs=["present"]), None, START, 7200, {"level": 2.0})[1] == (2.0,)


def test_the_soil_recipe_remembers_a_device_in_few_bytes() -> None:
    manifest = json.loads(SOIL.read_text())
    parsed = Recipe.parse(manifest["recipe"], tuple(manifest["channels"]))
    memory, _ = advance(parsed, None, START, 3600, {"moisture": 0.3, "temperature": 15.0})
    assert len(memory) < 256


SPECTRUM = {"channel": "shake", "rate_hz": 1000, "samples": 64, "edges_hz": [0, 100, 500]}
LOUD = {"name": "loud", "op": "last", "of": ["shake_rms"]}


def test_bands_and_levels_of_a_spectrum_are_what_steps_begin_from() -> None:
    source = {"young_hours": 1e-6, "gap_hours": 1, "steps": [LOUD], "inputs": ["shake_band01", "loud", "level"], "spectrum": SPECTRUM}
    parsed = Recipe.parse(source, ("level", "shake"))
    assert parsed.channels == ("level", "shake_band00", "shake_band01", "shake_rms")
    means = {"level": 1.0, "shake_band00": -3.0, "shake_band01": -4.0, "shake_rms": 0.5}
    assert advance(parsed, None, START, 60, means)[1] == (-4.0, 0.5, 1.0)
    assert advance(parsed, None, START, 60, {"level": 1.0, "shake_rms": 0.5})[1] is None


def test_the_fingerprint_covers_the_spectrum() -> None:
    source = {"young_hours": 1e-6, "gap_hours": 1, "steps": [], "inputs": ["shake_band00"]}
    prints = [Recipe.parse({**source, "spectrum": {**SPECTRUM, "edges_hz": [0, edge, 500]}}, ["shake"]).fingerprint for edge in (100, 101)]
    assert prints[0] != prints[1]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"spectrum": None}, "spectrum: needs channel"),
        ({"spectrum": {**SPECTRUM, "samples": 1}}, "spectrum: samples must be"),
        ({"spectrum": {**SPECTRUM, "channel": "noise"}}, "spectrum: 'noise' is not a channel"),
        ({"spectrum": {**SPECTRUM, "channel": "level"}}, "'level', which is neither"),
        ({"steps": "none"}, "steps must be a list"),
        ({"steps": [{"name": "a"}]}, "op"),
        ({"steps": [{"name": "a", "op": "fft", "of": ["level"]}]}, "unknown operation 'fft'"),
        ({"steps": [{"name": "a", "op": "ewma", "of": ["level"]}]}, "needs hours > 0"),
        ({"steps": [{"name": "a", "op": "ewma", "of": [], "hours": 1}]}, "takes 1 operands"),
        ({"steps": [{"name": "a", "op": "ratio", "of": ["level", "level"]}]}, "needs floor > 0"),
        ({"steps": [{"name": "a", "op": "last", "of": ["level"], "days": 1}]}, "last has no setting 'days'"),
        ({"steps": [{"name": "a", "op": "last", "of": ["depth"]}]}, "'depth'"),
        ({"steps": [{"name": "level", "op": "last", "of": ["level"]}]}, "stands twice"),
        ({"inputs": ["nothing"]}, "'nothing' is not a step"),
        ({"inputs": []}, "no inputs"),
        ({"young_hours": 0}, "young_hours"),
        ({"gap_hours": "long"}, "gap_hours"),
    ],
)
def test_a_recipe_that_makes_no_sense_is_refused_with_the_reason(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(RecipeError, match=reason):
        recipe(**changes)


def test_a_window_in_which_the_machine_stands_still_says_nothing_and_is_not_remembered() -> None:
    still = {"of": ["level"], "below": 0.5}
    course = [(hour, {"level": level}) for hour, level in enumerate((4.0, 5.0, 0.1, 0.2, 6.0))]
    memory, found = None, []
    for hour, level in course:
        before = memory
        memory, inputs = advance(recipe(standstill=still), memory, START + timedelta(hours=hour), 3600, level)
        assert (memory == before) == (level["level"] < 0.5)
        found.append(inputs is not None)
    assert found == [False, True, False, False, True]


def test_standstill_needs_values_that_are_known_and_a_number() -> None:
    for still, said in (
        ({"of": ["none"], "below": 1}, "channels or steps"),
        ({"of": [], "below": 1}, "channels or steps"),
        ({"of": ["level"]}, "a number"),
    ):
        with pytest.raises(RecipeError, match=said):
            recipe(standstill=still)


def test_a_recipe_that_learns_of_standstill_keeps_what_it_remembers() -> None:
    assert recipe().fingerprint == recipe(standstill={"of": ["level"], "below": 0.5}).fingerprint
