"""The water balance of a day: the same for any order of its hours, silent where nothing can be said, loud about what it assumed."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.irrigation import water
from pipeline.irrigation.days import DAY, Days, FieldHistory, Fields, balance, hour_of, merge, revise, without_balance
from pipeline.rollup.stats import HOUR, Key, Stats
from schemas.records import Irrigation, Site
from schemas.registry import Registry
from tests.pipeline.bodies import ALWAYS, NOW

MIDNIGHT = NOW.replace(hour=0)
START = int(MIDNIGHT.timestamp())
FIELD = Site(
    site_id="field",
    name="Field",
    latitude=40.0,
    longitude=-100.0,
    area_m2=10_000.0,
    soil="Loam",
    crop="Maize",
    planted=MIDNIGHT - timedelta(days=75),
    valid_from=ALWAYS,
)


def fields(**changes: Any) -> Fields:
    return Fields(Registry((replace(FIELD, **changes),), ()))


def hour(number: int, channel: str, value: float, revision: int = 0) -> Days:
    """One hour of the field, counted from MIDNIGHT."""
    unit = {"moisture": "m3/m3", "temperature": "degC"}[channel]
    site_and_days = hour_of(Key("field", channel, unit, START + number * HOUR), window(number, value), revision)
    assert site_and_days is not None
    return site_and_days[1]


def window(number: int, value: float, seconds: int = HOUR) -> tuple[int, int, Stats]:
    return seconds, START + number * HOUR, Stats(count=4, sum=4 * value, m2=0.0, min=value, max=value, summaries=1)


def whole_day(day: int = 0, moisture: float = 0.25, low: float = 12.0, high: float = 28.0) -> Days:
    """Moisture, and temperatures from low to high, in each hour."""
    days: Days = {}
    for number in range(24):
        merge(days, hour(day * 24 + number, "moisture", moisture))
        merge(days, hour(day * 24 + number, "temperature", low + (high - low) * number / 23))
    return days


def row(days: Days, day: int = 0, **changes: Any) -> Irrigation | None:
    return balance(fields(**changes), "field", days, START + day * DAY, NOW)


def sure(days: Days, day: int = 0, **changes: Any) -> Irrigation:
    balance_of_day = row(days, day, **changes)
    assert balance_of_day is not None
    return balance_of_day


def test_a_whole_day_gives_the_balance_of_its_last_hour() -> None:
    day = sure(merge(whole_day(), hour(23, "moisture", 0.24, revision=1)))
    assert (day.moisture, day.moisture_time) == (0.24, MIDNIGHT + timedelta(days=1))
    assert (day.temperature_min, day.temperature_max) == (12.0, 28.0)
    assert (day.root_depth, day.crop_coefficient) == (1.0, 1.2)
    assert (day.available_mm, day.depletion_mm) == pytest.approx((160.0, 70.0))
    assert day.assumed is None


def test_the_need_is_the_depletion_once_stress_is_near_and_nothing_before() -> None:
    calm, near, dry = (sure(whole_day(moisture=moisture)) for moisture in (0.25, 0.235, 0.2))
    assert (calm.need_mm, calm.need_m3) == (0.0, 0.0)
    assert calm.days_until_stress is not None
    assert calm.days_until_stress > 1
    assert near.days_until_stress is not None
    assert 0 < near.days_until_stress < 1
    assert near.need_mm == near.depletion_mm == pytest.approx(75.0)
    assert (dry.days_until_stress, dry.need_mm, dry.need_m3) == pytest.approx((0.0, 110.0, 1100.0))


def test_without_latitude_or_temperature_nothing_is_foreseen_and_the_depletion_stands() -> None:
    for day in (sure(whole_day(), latitude=None), sure(hour(3, "moisture", 0.25))):
        assert (day.reference_mm, day.days_until_stress) == (None, None)
        assert day.depletion_mm == pytest.approx(60.0)
        assert day.readily_available_mm == pytest.approx(0.55 * 160)
    assert sure(hour(3, "moisture", 0.2)).need_mm == pytest.approx(110.0)


def test_without_an_area_there_are_no_cubic_metres() -> None:
    assert sure(whole_day(moisture=0.2), area_m2=None).need_m3 is None


def test_without_a_planting_date_it_is_mid_season_and_says_so() -> None:
    day = sure(whole_day(), planted=None)
    assert (day.root_depth, day.crop_coefficient) == (1.0, 1.2)
    assert day.assumed == "mid-season: the registry does not say when the crop was planted"


def test_a_crop_that_stays_longer_than_its_table_says_so() -> None:
    day = sure(whole_day(), planted=MIDNIGHT - timedelta(days=151))
    assert day.crop_coefficient == pytest.approx(0.35)
    assert day.assumed is not None
    assert "150 days" in day.assumed


def test_before_planting_there_is_no_row() -> None:
    assert row(whole_day(), planted=MIDNIGHT + timedelta(days=1)) is None
    assert row(whole_day(), planted=MIDNIGHT + timedelta(hours=9)) is not None


def test_a_day_that_is_not_over_takes_the_temperatures_of_the_last_whole_one() -> None:
    days = merge(whole_day(-2), merge(hour(0, "moisture", 0.25), hour(0, "temperature", 10.0)))
    day = sure(days)
    assert day.assumed == f"temperatures of {MIDNIGHT - timedelta(days=2):%Y-%m-%d}"
    assert day.reference_mm == pytest.approx(sure(whole_day()).reference_mm, rel=0.01)
    assert (day.temperature_min, day.temperature_max) == (10.0, 10.0)


def test_a_whole_day_of_long_ago_stands_in_for_nothing() -> None:
    days = merge(whole_day(-4), merge(hour(0, "moisture", 0.25), hour(0, "temperature", 10.0)))
    day = sure(days)
    assert day.assumed is not None
    assert "so far" in day.assumed
    assert day.reference_mm == water.hargreaves(5.0, 15.0, water.radiation(40.0, 121))


def test_other_units_channels_and_minutes_are_not_taken() -> None:
    assert hour_of(Key("field", "moisture", "percent", START), window(0, 25.0), 0) is None
    assert hour_of(Key("field", "vibration", "g", START), window(0, 25.0), 0) is None
    assert hour_of(Key("field", "moisture", "m3/m3", START), window(0, 0.25, seconds=60), 0) is None


def test_the_registry_counts_as_of_the_hour() -> None:
    noon = MIDNIGHT + timedelta(hours=12)
    rotated = Fields(Registry((replace(FIELD, valid_to=noon), replace(FIELD, crop="Potato", planted=None, valid_from=noon)), ()))
    days = hour(11, "moisture", 0.25)
    before = balance(rotated, "field", days, START, NOW)
    after = balance(rotated, "field", merge(days, hour(12, "moisture", 0.25)), START, NOW)
    assert before is not None
    assert after is not None
    assert (before.crop, after.crop) == ("Maize", "Potato")


def test_a_site_that_gets_no_balance_is_named() -> None:
    sites = (FIELD, replace(FIELD, site_id="odd", crop="Lavender"), replace(FIELD, site_id="half", soil=None))
    sites += (replace(FIELD, site_id="hall", soil=None, crop=None),)
    sentences = list(without_balance(Registry(sites, ())))
    assert [sentence.split()[1] for sentence in sentences] == ["odd", "half"]
    assert "Lavender" in sentences[0]
    assert "maize" in sentences[0]


hours = st.tuples(
    st.integers(0, 96), st.sampled_from(["moisture", "temperature"]), st.integers(0, 3), st.sampled_from([0.05, 0.22, 0.24, 0.3])
)


@given(st.lists(hours, min_size=1, max_size=80), st.randoms(use_true_random=False))
def test_any_order_repetition_and_bundling_of_hours_ends_in_the_same_rows(drawn: list[Any], rng: random.Random) -> None:
    """The value of an hour's revision is its own: two results with the same revision are the same result."""
    distinct = [
        (number, channel, revision, (value + revision) * (100 if channel == "temperature" else 1))
        for number, channel, revision, value in {each[:3]: each for each in drawn}.values()
    ]
    pieces = [hour(number, channel, value, revision) for number, channel, revision, value in distinct]
    whole = latest(revise(fields(), "field", FieldHistory({}, {}), merged(pieces), NOW))
    rng.shuffle(pieces)
    history, given_rows = FieldHistory({}, {}), []
    pieces += rng.choices(pieces, k=3)
    while pieces:
        size = rng.randint(1, len(pieces))
        given_rows += revise(fields(), "field", history, merged(pieces[:size]), NOW)
        del pieces[:size]
    assert latest(given_rows) == whole


def merged(pieces: list[Days]) -> Days:
    days: Days = {}
    for piece in pieces:
        merge(days, {day: dict(of_day) for day, of_day in piece.items()})
    return days


def latest(rows: list[Irrigation]) -> dict[datetime, Irrigation]:
    """The last row of each day, whatever its revision."""
    return {one.day: replace(one, revision=0) for one in rows}


def test_an_hour_that_changes_nothing_gives_no_revision() -> None:
    history = FieldHistory({}, {})
    first = revise(fields(), "field", history, whole_day(), NOW)
    assert [one.revision for one in first] == [0]
    assert revise(fields(), "field", history, whole_day(), NOW) == []
    assert revise(fields(), "field", history, hour(3, "moisture", 0.1, revision=1), NOW) == []
    again = revise(fields(), "field", history, hour(23, "moisture", 0.2, revision=1), NOW)
    assert [(one.revision, one.moisture) for one in again] == [(1, 0.2)]


def test_a_late_hour_of_yesterday_also_changes_the_day_that_borrows_its_temperatures() -> None:
    history = FieldHistory({}, {})
    revise(fields(), "field", history, merge(whole_day(-1), hour(0, "moisture", 0.25)), NOW)
    changed = revise(fields(), "field", history, hour(-1, "temperature", 35.0, revision=1), NOW)
    assert [(one.day, one.revision) for one in changed] == [(MIDNIGHT - timedelta(days=1), 1), (MIDNIGHT, 1)]


def test_days_that_may_not_change_any_more_are_forgotten() -> None:
    history = FieldHistory({}, {})
    revise(fields(), "field", history, merge(whole_day(-9), whole_day()), NOW)
    history.forget(MIDNIGHT - timedelta(days=8))
    assert list(history.days) == list(history.revisions) == [START]
