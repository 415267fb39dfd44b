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
from pipeline.irrigation.days import balance, revise, rows_of
from pipeline.irrigation.fields import Fields, without_balance
from pipeline.irrigation.hours import DAY, Days, FieldHistory, hour_of, merge
from pipeline.rollup.stats import HOUR, DeviceHour, HourOfDevices, Key
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
UNITS = {"moisture": "m3/m3", "temperature": "degC", "rain": "mm"}


def fields(**changes: Any) -> Fields:
    return Fields(Registry((replace(FIELD, **changes),), ()))


def hour(number: int, channel: str, value: float, revision: int = 0, **devices: float) -> Days:
    """One hour of the field, counted from MIDNIGHT: what one probe says, or several by their names."""
    return hour_of(devices_hour(number, channel, devices or {"probe": value}, revision))


def devices_hour(number: int, channel: str, values: dict[str, float], revision: int = 0, unit: str | None = None) -> HourOfDevices:
    key = Key("field", channel, unit or UNITS[channel], START + number * HOUR)
    return HourOfDevices(key, revision, tuple(DeviceHour(name, 4, value, value, value) for name, value in values.items()))


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
    assert calm.balance_days is not None
    assert calm.balance_days > 1
    assert near.balance_days is not None
    assert 0 < near.balance_days < 1
    assert near.need_mm == near.depletion_mm == pytest.approx(75.0)
    assert (dry.balance_days, dry.need_mm, dry.need_m3) == pytest.approx((0.0, 110.0, 1100.0))


def test_without_latitude_or_temperature_nothing_is_foreseen_and_the_depletion_stands() -> None:
    for day in (sure(whole_day(), latitude=None), sure(hour(3, "moisture", 0.25))):
        assert (day.reference_mm, day.balance_days) == (None, None)
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


def test_without_temperatures_a_depletion_beyond_raw_is_stress_all_the_same() -> None:
    day = sure(merge(hour(2, "moisture", 0.2), hour(3, "moisture", 0.2)))
    assert (day.balance_days, day.need_mm) == (0.0, pytest.approx(110.0))
    assert day.assumed == "no forecast: no temperature was heard"


def test_in_the_first_hour_of_a_field_its_temperatures_may_be_on_their_way() -> None:
    """With them the readily available water is more: the field was said to be under stress, and a moment later not."""
    moisture = hour(3, "moisture", 0.22)
    assert sure(moisture).balance_days is None
    known = sure(merge(hour(3, "temperature", 5.0), moisture))
    assert known.balance_days is not None
    assert known.balance_days > 0


def test_the_temperatures_of_yesterday_stand_in_though_it_was_not_whole() -> None:
    """Else each midnight until the first whole day would have an hour without a forecast."""
    yesterday = merge(hour(-2, "moisture", 0.22), hour(-2, "temperature", 11.0))
    day = sure(merge(yesterday, hour(0, "moisture", 0.22)))
    assert day.reference_mm == pytest.approx(water.hargreaves(6.0, 16.0, water.radiation(40.0, 121)))
    assert day.assumed == f"the few temperatures of {MIDNIGHT - timedelta(days=1):%Y-%m-%d}, and 10 K between lowest and highest at least"


def test_percent_is_converted_because_it_is_declared() -> None:
    day = sure(hour_of(devices_hour(5, "moisture", {"probe": 10.0}, unit="%")))
    assert (day.moisture, day.need_mm, day.need_m3) == pytest.approx((0.10, 160.0, 1600.0))
    assert day.assumed is not None
    assert "moisture in % is percent of the soil's volume" in day.assumed


@pytest.mark.parametrize(
    ("value", "unit", "why"),
    [
        (10.0, "m3/m3", "moisture of 10 m3/m3 is impossible"),
        (65535.0, "m3/m3", "moisture of 65535 m3/m3 is impossible"),
        (0.0, "m3/m3", "moisture of 0 m3/m3 is less than Loam ever has"),
        (0.55, "m3/m3", "moisture of 0.55 m3/m3 is more than Loam can hold"),
        (0.31, "%", "moisture of 0.31 % is less than Loam ever has"),
        (0.31, "V", "'V' is no unit of moisture"),
    ],
)
def test_an_impossible_moisture_gives_a_row_that_says_why_there_is_no_advice(value: float, unit: str, why: str) -> None:
    day = sure(merge(hour_of(devices_hour(5, "moisture", {"probe": value}, unit=unit)), hour(5, "temperature", 20.0)))
    assert (day.moisture, day.depletion_mm, day.need_mm, day.need_m3, day.balance_days) == (None,) * 5
    assert day.no_advice is not None
    assert day.no_advice.startswith(f"no moisture that can be believed: probe is left out: {why}")
    assert day.moisture_time == MIDNIGHT + timedelta(hours=6)


def test_a_dead_probe_is_left_out_beside_a_sound_one() -> None:
    day = sure(hour(5, "moisture", 0.0, good=0.25, dead=0.0))
    assert (day.moisture, day.no_advice) == (0.25, None)
    assert day.assumed is not None
    assert "dead is left out: moisture of 0 m3/m3" in day.assumed
    assert [(probe.device_id, probe.value, probe.fault is None) for probe in day.probes] == [("dead", 0.0, False), ("good", 0.25, True)]


@pytest.mark.parametrize("wild", [-127.0, 85.0])
def test_an_impossible_temperature_moves_neither_extremes_nor_forecast(wild: float) -> None:
    day, without = sure(merge(whole_day(), hour(12, "temperature", 0.0, thermometer=wild))), sure(whole_day())
    assert (day.temperature_min, day.temperature_max, day.balance_days) == (12.0, 28.0, without.balance_days)
    assert day.assumed is not None
    assert f"thermometer is left out: temperature of {wild:g} degC is impossible" in day.assumed


def test_probes_weigh_alike_whatever_their_rate() -> None:
    """One speaks every hour with 60 readings, the other spoke once, in the morning."""
    key = Key("field", "moisture", "m3/m3", START)
    morning = hour_of(HourOfDevices(key, 0, (DeviceHour("often", 60, 0.2, 0.2, 0.2), DeviceHour("rarely", 1, 0.3, 0.3, 0.3))))
    assert sure(morning).moisture == pytest.approx(0.25)
    day = sure(merge(morning, hour(9, "moisture", 0.0, often=0.2)))
    assert day.moisture == pytest.approx(0.25)
    assert day.moisture_time == MIDNIGHT + timedelta(hours=10)
    assert day.assumed is not None
    assert "the last word of rarely is of 2026-05-01 01:00 UTC" in day.assumed


def test_a_probe_that_fell_silent_a_day_ago_does_not_count() -> None:
    days = merge(hour(0, "moisture", 0.0, often=0.2, silent=0.3), hour(24, "moisture", 0.0, often=0.2))
    assert sure(days, 1).moisture == 0.2


def test_probes_that_disagree_are_named_with_what_they_say() -> None:
    day = sure(hour(5, "moisture", 0.0, corner=0.16, middle=0.30, edge=0.29))
    assert day.moisture == 0.25
    assert day.assumed is not None
    assert "the mean of probes that disagree, from 0.16 (corner) to 0.30 m3/m3 (middle)" in day.assumed


def test_an_impossible_hour_is_bridged_for_a_while_and_then_there_is_no_advice() -> None:
    broken = [hour(number, "moisture", 0.0) for number in range(5, 12)]
    day = sure(merged_days([hour(4, "moisture", 0.2), *broken[:6]]))
    assert (day.moisture, day.moisture_time) == (0.2, MIDNIGHT + timedelta(hours=11))
    assert day.assumed is not None
    assert "the moisture of probe is that of 2026-05-01 05:00 UTC: since then moisture of 0 m3/m3" in day.assumed
    assert sure(merged_days([hour(4, "moisture", 0.2), *broken])).no_advice is not None


def test_a_probe_frozen_for_days_is_left_out_and_one_that_moves_a_little_is_not() -> None:
    still = merged_days([hour(number, "moisture", 0.25) for number in range(96)])
    assert sure(still, 2).no_advice is None
    day = sure(still, 3)
    assert day.no_advice == "no moisture that can be believed: probe is left out: moisture is frozen: 0.25 m3/m3 and nothing else for 96 h"
    assert sure(merge(still, hour(50, "moisture", 0.2501, revision=1)), 3).no_advice is None
    assert sure(merged_days([hour(number, "moisture", 0.25) for number in (0, 70, 95)]), 3).no_advice is None


def test_rain_that_the_moisture_does_not_show_yet_is_taken_off_the_need() -> None:
    dry = merged_days([hour(number, "moisture", 0.2) for number in range(12)])
    rained = merge(dry, hour(10, "rain", 7.5))
    day = sure(rained)
    assert (day.rain_mm, day.rain_unseen_mm, day.depletion_mm, day.need_mm) == pytest.approx((30.0, 30.0, 80.0, 0.0))
    more = sure(merge(rained, hour(11, "rain", 1.0)))
    assert (more.rain_mm, more.depletion_mm) == pytest.approx((34.0, 76.0))


def test_rain_that_the_moisture_shows_is_not_counted_twice() -> None:
    days = merged_days([*(hour(number, "moisture", 0.2) for number in range(10)), hour(10, "rain", 7.5), hour(11, "moisture", 0.23)])
    day = sure(days)
    assert (day.rain_mm, day.rain_unseen_mm, day.depletion_mm) == pytest.approx((30.0, 0.0, 80.0))


def test_light_rain_and_rain_of_the_day_before_are_not_counted() -> None:
    day = sure(merge(whole_day(moisture=0.2), hour(20, "rain", 0.2)))
    assert (day.rain_mm, day.rain_unseen_mm, day.need_mm) == (0.8, 0.0, pytest.approx(110.0))
    later = sure(merged_days([hour(0, "rain", 7.5), hour(0, "moisture", 0.2), hour(25, "moisture", 0.2)]), 1)
    assert (later.rain_mm, later.need_mm) == (None, pytest.approx(110.0))


def test_several_gauges_are_one_rain() -> None:
    day = sure(merged_days([hour(0, "moisture", 0.2), hour(1, "rain", 0.0, east=5.0, west=10.0)]))
    assert day.rain_mm == pytest.approx(30.0)


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


values = st.dictionaries(st.sampled_from("abc"), st.sampled_from([0.0, 0.05, 0.22, 0.24, 0.3, 0.9]), min_size=1)
hours = st.tuples(st.integers(0, 144), st.sampled_from(sorted(UNITS)), st.integers(0, 3), values)
FACTORS = {"moisture": 1.0, "temperature": 100.0, "rain": 10.0}


@given(st.lists(hours, min_size=1, max_size=80), st.randoms(use_true_random=False))
def test_any_order_repetition_and_bundling_of_hours_ends_in_the_same_rows(drawn: list[Any], rng: random.Random) -> None:
    """What an hour's revision says is its own: two results with the same revision are the same result."""
    distinct = [
        devices_hour(number, channel, {name: value * FACTORS[channel] for name, value in of_devices.items()}, revision)
        for number, channel, revision, of_devices in {each[:3]: each for each in drawn}.values()
    ]
    pieces = [hour_of(one) for one in distinct]
    whole = latest(rows_of(fields(), "field", distinct, NOW))
    rng.shuffle(pieces)
    history, given_rows = FieldHistory({}, {}), []
    pieces += rng.choices(pieces, k=3)
    while pieces:
        size = rng.randint(1, len(pieces))
        history = FieldHistory.unpack(history.pack())
        given_rows += revise(fields(), "field", history, merged_days(pieces[:size]), NOW)
        del pieces[:size]
    assert latest(given_rows) == whole


def merged_days(pieces: list[Days]) -> Days:
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
