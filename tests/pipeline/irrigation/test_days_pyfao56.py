"""Irrigation need agrees with pyfao56 on whole seasons as far as docs/models/irrigation.md says, and the page says what is measured."""

from __future__ import annotations

import numpy as np
import pytest
from pyfao56.tools import FAO56Tables

from pipeline.irrigation.crops import CROPS
from tests.pipeline import agreement
from tests.pipeline.agreement import Season, Taught, joined, mean_and_p95, same_decision
from tests.pipeline.fao56_twin import ROWS, rows

Measured = tuple[list[Season], list[Taught]]


@pytest.fixture(scope="module")
def measured() -> Measured:
    return agreement.measured()


@pytest.fixture(scope="module")
def whole(measured: Measured) -> Season:
    return joined(measured[0])


@pytest.mark.parametrize("name", sorted(CROPS))
def test_the_crops_are_those_of_pyfao56s_copy_of_the_tables(name: str) -> None:
    tables, crop = FAO56Tables(), CROPS[name]
    stages, single, _, roots = rows(tables, name)
    assert crop.stages == tuple(int(tables.table11.iloc[stages][column]) for column in ("Lini", "Ldev", "Lmid", "Llate"))
    assert crop.coefficients == tuple(float(tables.table12.iloc[single][column]) for column in ("Kcmini", "Kcmmid", "Kcmend"))
    assert (crop.root_depth_max, crop.depletion_fraction) == tuple(
        float(tables.table22.iloc[roots][column]) for column in ("Zrmax1", "pbase")
    )


def test_every_crop_is_compared_with_its_rows() -> None:
    assert ROWS.keys() == CROPS.keys()


def test_depletion_is_that_of_pyfao56_every_day(whole: Season) -> None:
    assert np.abs(whole.depletion).max() <= agreement.DEPLETION_MM


def test_readily_available_water_is_near_that_of_pyfao56(whole: Season) -> None:
    mean, p95 = mean_and_p95(whole.readily)
    assert mean <= agreement.READILY_MM[0]
    assert p95 <= agreement.READILY_MM[1]


def test_days_until_stress_are_near_what_pyfao56_does_without_rain(whole: Season) -> None:
    for errors, bound in ((whole.forecast, agreement.FORECAST_DAYS), (whole.same_weather, agreement.SAME_WEATHER_DAYS)):
        mean, p95 = mean_and_p95(errors)
        assert mean <= bound[0]
        assert p95 <= bound[1]


def test_both_give_water_on_the_same_days(whole: Season) -> None:
    assert same_decision(whole) >= agreement.SAME_DECISION


def test_a_perfect_probe_gives_the_share_that_aquacrop_has(measured: Measured) -> None:
    assert all(np.abs(one.perfect).mean() < 0.01 for one in measured[1])


def test_the_page_says_what_is_measured(measured: Measured) -> None:
    assert agreement.page(*measured) == agreement.PAGE.read_text(encoding="utf-8"), "run `python -m tests.pipeline.agreement`"
