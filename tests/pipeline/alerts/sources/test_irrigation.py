"""What rules see of a field's day, and what a farmer reads of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from pipeline.alerts.observation import Observation
from pipeline.alerts.sources.irrigation import IrrigationSource
from pipeline.alerts.state_machine import StateMachine
from schemas.envelope import micros
from schemas.records import Irrigation
from schemas.rules.irrigation import IrrigationRule
from tests.pipeline.bodies import NOW, REGISTRY

NEED = IrrigationRule(name="need", column="need_mm", above=20.0)
DAYS = IrrigationRule(name="days", column="balance_days", below=2.0, cooldown_seconds=60)


def day(**values: Any) -> Irrigation:
    zeros: dict[str, Any] = dict.fromkeys(Irrigation.__slots__, 0.0)
    plain = {"site_id": "north", "moisture_time": NOW, "revision": 0, "probes": (), "no_advice": None, "assumed": None, "rain_mm": None}
    return Irrigation(**zeros | plain | {"readily_available_mm": 80.0} | values)


def observed(row: Irrigation, *rules: IrrigationRule, now: datetime = NOW + timedelta(days=9)) -> list[Observation]:
    return list(IrrigationSource(rules, REGISTRY).observe(row, micros(now)))


def test_a_day_is_observed_by_its_columns() -> None:
    row = day(need_mm=25.0, balance_days=1.0, revision=2)
    observation, days = observed(row, NEED, DAYS)
    assert (observation.rule, observation.subject, observation.value, observation.revision) == ("need", "north", 25.0, 2)
    assert (observation.at, observation.known_at) == (micros(NOW - timedelta(hours=1)), micros(NOW))
    assert (observation.threshold, days.value) == (20.0, 1.0)


def test_a_day_without_advice_is_not_observed() -> None:
    assert observed(day(need_mm=None, balance_days=None, depletion_mm=None, no_advice="the probe is dead"), NEED, DAYS) == []


@pytest.mark.parametrize(
    ("values", "text"),
    [
        (
            {"need_mm": 14.2, "need_m3": 5.6, "balance_days": 0.7},
            "north: give 14 mm today, 5.6 m3; 0.7 days until stress without rain",
        ),
        ({"need_mm": 59.0, "need_m3": 3046.4, "balance_days": 0.0}, "north: give 59 mm today, 3,046 m3; the crop is under stress now"),
        ({"balance_days": 1.12}, "north: no water needed today, but soon; 1.1 days until stress without rain"),
        ({"balance_days": 9.04}, "north: no water needed today; 9.0 days until stress without rain"),
        ({"balance_days": 9.04, "rain_mm": 2.0}, "north: no water needed today; 9.0 days until stress without more rain"),
        ({"balance_days": None, "depletion_mm": 5.0}, "north: no water needed today; nothing is foreseen without temperatures"),
        (
            {"balance_days": 9.04, "assumed": "mid-season"},
            "north: no water needed today; 9.0 days until stress without rain (assumed: mid-season)",
        ),
    ],
)
def test_a_farmer_reads_what_to_give_how_long_it_lasts_and_what_is_assumed(values: dict[str, Any], text: str) -> None:
    [observation] = observed(day(**values), DAYS)
    assert observation.text == text


def test_a_field_without_temperatures_opens_beyond_raw_and_resolves_when_it_is_watered() -> None:
    depletions = (30.0, 90.0, 79.0, 95.0, 5.0)
    rows = [
        day(moisture_time=NOW + timedelta(days=number), depletion_mm=depletion, balance_days=0.0 if depletion > 80 else None)
        for number, depletion in enumerate(depletions)
    ]
    machine = StateMachine(DAYS, IrrigationSource.condition(DAYS))
    alerts = machine.run([one for row in rows for one in observed(row, DAYS)], NOW + timedelta(days=30))
    assert [(alert.state, alert.event_time - NOW + timedelta(hours=1)) for alert in alerts] == [
        ("opened", timedelta(days=1)),
        ("resolved", timedelta(days=4)),
    ]


def test_a_day_of_which_the_value_is_unknown_is_not_observed_unless_the_field_is_watered() -> None:
    """It would confirm what is open, and notify people of it, and knows nothing of it."""
    assert observed(day(balance_days=None, depletion_mm=72.0), DAYS) == []
    assert observed(day(balance_days=None, depletion_mm=72.0, need_mm=72.0), NEED) == []
    assert len(observed(day(balance_days=None, depletion_mm=5.0), DAYS)) == 1


def test_a_thermometer_that_fails_resolves_nothing() -> None:
    rows = [day(balance_days=1.0, depletion_mm=70.0), day(balance_days=None, depletion_mm=72.0, moisture_time=NOW + timedelta(days=1))]
    machine = StateMachine(DAYS, IrrigationSource.condition(DAYS))
    alerts = machine.run([one for row in rows for one in observed(row, DAYS)], NOW + timedelta(days=30))
    assert [alert.state for alert in alerts] == ["opened"]


@pytest.mark.parametrize(("ahead", "count"), [(-3600, 1), (299, 1), (301, 0), (86_400, 0)])
def test_a_day_of_a_wrong_clock_whose_hour_has_not_begun_is_not_observed(ahead: int, count: int) -> None:
    """It would make the rule wait until that time."""
    assert len(observed(day(moisture_time=NOW + timedelta(seconds=ahead, hours=1)), NEED, now=NOW)) == count
