"""The teacher's seasons: repeatable, and labelled with what really came."""

from __future__ import annotations

import numpy as np
import pytest

from training.soil.climates import CLIMATES, HELD_OUT_CLIMATES, TRAINING_CLIMATES, weather
from training.soil.metrics import HORIZON_DAYS
from training.soil.season import Season, days_until, simulate_season


@pytest.fixture(scope="module")
def dry() -> Season:
    return simulate_season("tunis", "Loam", "Tomato", 1990, seed=4)


def test_at_least_three_climates_train_and_two_are_held_out() -> None:
    assert len(TRAINING_CLIMATES) >= 3
    assert len(HELD_OUT_CLIMATES) >= 2
    assert not set(TRAINING_CLIMATES) & set(HELD_OUT_CLIMATES)


@pytest.mark.parametrize("name", CLIMATES)
def test_the_weather_has_every_day_of_its_years(name: str) -> None:
    there = weather(name)
    assert set(np.diff(there.dates).astype(int)) == {1}
    assert str(there.dates[0]) == f"{CLIMATES[name].first_year}-01-01"
    assert np.all(there.low <= there.high)
    assert np.all(there.rain >= 0)


def test_a_season_is_the_same_each_time(dry: Season) -> None:
    again = simulate_season("tunis", "Loam", "Tomato", 1990, seed=4)
    for name in ("moisture", "depletion", "irrigation", "days_until_stress"):
        np.testing.assert_array_equal(getattr(dry, name), getattr(again, name))


def test_another_farmer_waters_otherwise(dry: Season) -> None:
    other = simulate_season("tunis", "Loam", "Tomato", 1990, seed=5)
    assert other.irrigation.tolist() != dry.irrigation.tolist()


def test_the_truth_is_what_came_and_nobody_watered_meanwhile(dry: Season) -> None:
    share = dry.depletion / dry.available
    known = np.flatnonzero((dry.days_until_stress > 0) & (dry.days_until_stress < HORIZON_DAYS))
    assert len(known) > 10
    for day in known:
        wait = dry.days_until_stress[day]
        last = day + int(np.floor(wait))
        assert np.all(share[day : last + 1] <= dry.threshold)
        assert share[day + int(np.ceil(wait))] >= dry.threshold
        assert dry.irrigation[day + 1 : last + 1].sum() == 0


def test_days_of_a_cycle_in_which_the_farmer_waters_early_are_unknown(dry: Season) -> None:
    assert not dry.labelled.all()
    assert np.isnan(dry.days_until_stress[~dry.labelled]).all()


def test_days_until_counts_along_the_line_between_days() -> None:
    depleted = np.array([0.1, 0.3, 0.7, 0.2] + [0.2] * 20)
    days = days_until(np.array([1.0, 1.5, 2.5, 3.0, 4.0, 20.0]), depleted, 0.5)
    np.testing.assert_allclose(days[:4], [1.5, 1.0, 0.0, 0.0])
    assert days[4] == HORIZON_DAYS
    assert np.isnan(days[5])


def test_a_year_without_weather_is_refused() -> None:
    with pytest.raises(ValueError, match="tunis has no weather"):
        simulate_season("tunis", "Loam", "Tomato", 1950)
