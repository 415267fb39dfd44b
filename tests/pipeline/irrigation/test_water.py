"""The formulas give the examples that FAO-56 works out, and keep within their bounds."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.irrigation import water
from pipeline.irrigation.crops import CROPS, SOILS, crop, soil
from schemas import agronomy
from tests.pipeline.bodies import NOW

MAIZE, LOAM = CROPS["maize"], SOILS["loam"]
DAYS = st.integers(0, 400)


def test_there_is_a_table_for_every_soil_and_crop_that_a_registry_may_name() -> None:
    assert set(SOILS) == set(map(agronomy.plain, agronomy.SOILS))
    assert set(CROPS) == set(map(agronomy.plain, agronomy.CROPS))


def test_radiation_is_that_of_example_8() -> None:
    assert water.radiation(-20, 246) == pytest.approx(32.2, abs=0.05)


def test_at_the_equator_half_a_day_of_sun_stands_straight_above_at_the_equinox() -> None:
    assert water.radiation(0, 81) == pytest.approx(24 * 60 / math.pi * 0.0820 * (1 + 0.033 * math.cos(2 * math.pi * 81 / 365)), rel=1e-4)


def test_no_sun_rises_in_the_polar_night() -> None:
    assert water.radiation(80, 355) == pytest.approx(0.0, abs=1e-9)
    assert water.radiation(80, 172) > 40


def test_reference_evapotranspiration_is_that_of_example_20() -> None:
    """Lyon, 45.72 degrees north, in the middle of July: 14.8 and 26.6 degrees; the example says 40.6 MJ and 5.0 mm."""
    sun = water.radiation(45.72, 196)
    assert sun == pytest.approx(40.6, abs=0.1)
    assert water.hargreaves(14.8, 26.6, sun) == pytest.approx(5.0, abs=0.05)


def test_deep_frost_evaporates_nothing() -> None:
    assert water.hargreaves(-40, -30, 10.0) == 0.0


def test_depletion_stays_between_nothing_and_all() -> None:
    assert water.depletion(LOAM, 1.0, 0.40) == 0.0
    assert water.depletion(LOAM, 1.0, 0.25) == pytest.approx(60.0)
    assert water.depletion(LOAM, 1.0, 0.05) == water.available(LOAM, 1.0) == pytest.approx(160.0)


def test_the_share_that_may_be_used_falls_when_the_crop_drinks_much() -> None:
    assert water.readily_available(MAIZE, 100, 5.0) == pytest.approx(55)
    assert water.readily_available(MAIZE, 100, 8.0) == pytest.approx(43)
    assert water.readily_available(MAIZE, 100, None) == pytest.approx(55)
    assert water.readily_available(MAIZE, 100, 30.0) == pytest.approx(10)
    assert water.readily_available(CROPS["cotton"], 100, 0.0) == pytest.approx(80)


def test_the_coefficient_follows_the_four_stages() -> None:
    assert [MAIZE.coefficient(age) for age in (0, 30, 50, 70, 120, 135, 150, 500)] == pytest.approx(
        [0.3, 0.3, 0.75, 1.2, 1.2, 0.775, 0.35, 0.35]
    )


def test_roots_grow_while_the_crop_develops() -> None:
    assert [MAIZE.root_depth(age) for age in (0, 30, 50, 70, 400)] == pytest.approx([0.2, 0.2, 0.6, 1.0, 1.0])


@pytest.mark.parametrize("name", ["SiltClayLoam", "silt clay loam", "silt-clay_loam", "SILTCLAYLOAM"])
def test_a_name_is_read_as_people_write_it(name: str) -> None:
    assert soil(name) == SOILS["siltclayloam"]


def test_wheat_that_is_sown_in_autumn_is_winter_wheat() -> None:
    autumn, spring = NOW.replace(month=11), NOW.replace(month=3)
    assert crop("Wheat", autumn, 40.0) == crop("Wheat", spring, -40.0) == CROPS["winterwheat"]
    assert crop("Wheat", spring, 40.0) == crop("Wheat", None, 40.0) == CROPS["wheat"]


def test_days_until_stress_are_counted_by_hand() -> None:
    """Mid-season maize on loam: 160 mm, 4 mm a day by 1.2 are 4.8 mm, p = 0.55 + 0.04 x 0.2; 60 mm are gone."""
    readily = 160 * (0.55 + 0.04 * 0.2)
    assert water.days_until_stress(LOAM, MAIZE, 75, 60.0, 4.0) == pytest.approx((readily - 60) / 4.8)
    assert water.days_until_stress(LOAM, MAIZE, 75, readily + 0.1, 4.0) == 0.0
    assert water.days_until_stress(LOAM, MAIZE, 75, 0.0, 0.0) == water.HORIZON_DAYS


@given(st.sampled_from(sorted(SOILS)), st.sampled_from(sorted(CROPS)), DAYS, st.floats(0, 1), st.floats(0, 12))
def test_a_drier_root_zone_is_never_further_from_stress(texture: str, plant: str, age: int, share: float, reference: float) -> None:
    ground, grown = SOILS[texture], CROPS[plant]
    total = water.available(ground, grown.root_depth(age))
    drier, wetter = (water.days_until_stress(ground, grown, age, total * part, reference) for part in (share, share * 0.9))
    assert 0 <= drier <= wetter <= water.HORIZON_DAYS
