"""A successor is refused for each measure in which it falls short of another; a warning is the first of windows in a row."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from edge.models.bundle import Bundle
from training.build.succession import CURRENT, SUCCESSOR
from training.vibration.rivals import RMS, Metrics, VibrationSuccession, comparable, compare
from training.vibration.training_set import DAMAGED, SOUND, MachineWindow, TrainingSet

VIBRATION = Bundle.load(Path(__file__).parents[3] / "models" / "vibration")
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
SOUND_WINDOWS = 200
METRICS = Metrics(auc=0.9, found=0.5, warned=0.5, warning_hours=10.0)
OWN = replace(METRICS, false_alarms=0.01)


def succession(ours: Metrics) -> VibrationSuccession:
    metrics = {SUCCESSOR: ours, CURRENT: OWN, RMS: METRICS}
    return VibrationSuccession(metrics=metrics, windows=SOUND_WINDOWS, failures=2, machines=("pump",))


def test_as_good_as_the_others_may_follow() -> None:
    assert not succession(OWN).refusals


@pytest.mark.parametrize(
    ("ours", "measure"),
    [
        (replace(OWN, found=0.49), "what is found in the last week"),
        (replace(OWN, warned=0.49), "bearings warned of"),
        (replace(OWN, warning_hours=9.9), "hours of warning"),
    ],
)
def test_falling_short_in_one_measure_is_a_reason_for_each_of_the_others(ours: Metrics, measure: str) -> None:
    assert succession(ours).refusals == tuple(f"it does not match the {name} in {measure}" for name in (CURRENT, RMS))


def test_false_alarms_are_held_against_what_has_a_threshold_of_its_own() -> None:
    assert succession(replace(OWN, false_alarms=0.011)).refusals == (f"it does not match the {CURRENT} in false alarms",)


def pump(levels: list[float]) -> TrainingSet:
    """Sound at 1 m/s2, then an hour for each of these levels [m/s2] until its bearing is replaced."""
    sound = [window(hour, 1.0, None) for hour in range(SOUND_WINDOWS)]
    worn = [window(SOUND_WINDOWS + hour, level, len(levels) - hour) for hour, level in enumerate(levels)]
    return TrainingSet([*sound, *worn])


def window(hour: int, rms: float, hours_to_replacement: float | None) -> MachineWindow:
    return MachineWindow(
        device_id="pump",
        site_id="mill",
        window_start=BEGIN + timedelta(hours=hour),
        window_seconds=3600,
        features=[0.0] * len(VIBRATION.recipe.inputs),
        rms=rms,
        outcome=SOUND if hours_to_replacement is None else DAMAGED,
        hours_to_replacement=hours_to_replacement,
    )


@pytest.mark.parametrize(
    ("levels", "hours"),
    [([2, 1, 2, 2, 1, 2, 2, 2, 1], 4.0), ([2, 2, 1, 2, 2], 0.0), ([2, 2, 2], 3.0)],
    ids=["three in a row", "never three in a row", "from the first on"],
)
def test_a_warning_is_the_first_of_three_in_a_row(levels: list[float], hours: float) -> None:
    compared = comparable(pump(levels), BEGIN)
    rms = compare(VIBRATION, VIBRATION, compared).metrics[RMS]
    assert (rms.warning_hours, rms.warned) == (hours, float(hours > 0))
    assert rms.found == levels.count(2) / len(levels)
