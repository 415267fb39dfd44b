"""What rules see of a field's day, and what a farmer reads of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from pipeline.alerts.observation import Observation
from pipeline.alerts.sources.irrigation import IrrigationSource
from schemas.envelope import micros
from schemas.records import Irrigation
from schemas.rules.irrigation import IrrigationRule
from tests.pipeline.bodies import NOW, REGISTRY

NEED = IrrigationRule(name="need", column="need_mm", above=20.0)
DAYS = IrrigationRule(name="days", column="days_until_stress", below=2.0)


def day(**values: Any) -> Irrigation:
    zeros: dict[str, Any] = dict.fromkeys(Irrigation.__slots__, 0.0)
    return Irrigation(**zeros | {"site_id": "north", "moisture_time": NOW, "revision": 0} | values)


def observed(row: Irrigation, *rules: IrrigationRule) -> list[Observation]:
    return list(IrrigationSource(rules, REGISTRY).observe(row, micros(NOW)))


def test_a_day_is_observed_by_its_columns_and_not_where_one_is_unknown() -> None:
    unknown = day(need_mm=25.0, days_until_stress=None, revision=2)
    [observation] = observed(unknown, NEED, DAYS)
    assert (observation.rule, observation.subject, observation.value, observation.revision) == ("need", "north", 25.0, 2)
    assert (observation.at, observation.known_at) == (micros(NOW - timedelta(hours=1)), micros(NOW))
    assert (observation.text, observation.threshold) == ("north: 25 mm today", 20.0)
    assert [observation.rule for observation in observed(replace(unknown, days_until_stress=1.0), NEED, DAYS)] == ["need", "days"]


@pytest.mark.parametrize(
    ("need", "volume", "days", "text"),
    [
        (14.2, 5.6, 0.7, "north: 14 mm today, 6 m3; 0.7 days until stress"),
        (59.0, 3046.4, 0.0, "north: 59 mm today, 3,046 m3; under stress now"),
        (0.0, 0.0, 9.04, "north: no water needed today; stress in 9.0 days without rain"),
    ],
)
def test_a_farmer_reads_what_to_give_and_how_long_it_lasts(need: float, volume: float, days: float, text: str) -> None:
    [observation] = observed(day(need_mm=need, need_m3=volume, days_until_stress=days), DAYS)
    assert observation.text == text


@pytest.mark.parametrize(("ahead", "count"), [(-3600, 1), (299, 1), (301, 0), (86_400, 0)])
def test_a_day_of_a_wrong_clock_whose_hour_has_not_begun_is_not_observed(ahead: int, count: int) -> None:
    """It would make the rule wait until that time."""
    assert len(observed(day(moisture_time=NOW + timedelta(seconds=ahead, hours=1)), NEED)) == count
