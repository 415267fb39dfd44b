"""Alerts become what all observations in order say, whatever a run wrote of a part of them: once, and what is young is left alone."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from derive.corrections import Known, Reach, Subject, corrections
from pipeline.alerts import engine_twin
from pipeline.alerts.in_force import RulesInForce
from pipeline.alerts.observation import Observation
from schemas.envelope import micros
from schemas.records import Alert, AlertChange, Device, Site
from schemas.registry import Registry
from schemas.rules.event import EventRule
from schemas.rules.site_window import SiteWindowRule

BEGIN = datetime(2026, 5, 1, tzinfo=UTC)
NOW = BEGIN + timedelta(days=10)
HOUR = timedelta(hours=1)
ALL = Reach(BEGIN - timedelta(days=1), BEGIN - timedelta(days=1), NOW - HOUR)
SITE = Site(site_id="north", name="North", latitude=52.0, longitude=5.0, valid_from=BEGIN - timedelta(days=30))
DRY = SiteWindowRule(name="dry", channel="moisture", below=0.2, hysteresis=0.05, window_seconds=3600, cooldown_seconds=0)
REGISTRY = Registry((SITE,), (), (DRY,))

Content = tuple[str, str, datetime, float | None, str]


def hours(values: Sequence[float], begin: datetime = BEGIN) -> list[Observation]:
    return [
        Observation(
            rule="dry",
            subject="north",
            at=micros(begin + number * HOUR),
            known_at=micros(begin + (number + 1) * HOUR),
            value=value,
            site_id="north",
            text=f"{value}",
        )
        for number, value in enumerate(values)
    ]


def latest(rows: Iterable[Alert]) -> list[Known]:
    """Returns the latest row of each alert, as the warehouse does, with whether people were notified."""
    ordered = sorted(rows, key=lambda row: (row.revision, row.as_of))
    told = {row.alert_id for row in ordered if row.notified}
    return [Known(row, row.alert_id in told) for row in {row.alert_id: row for row in ordered}.values()]


def shown(rows: Iterable[Alert]) -> list[Content]:
    """Returns what people see of the alerts."""
    standing = (known.row for known in latest(rows) if known.row.state != AlertChange.RETRACTED)
    return sorted((row.alert_id, row.state, row.event_time, row.value, row.message) for row in standing)


def corrected(
    values: Sequence[float], known: Sequence[Alert] = (), reach: Reach = ALL, now: datetime = NOW, registry: Registry = REGISTRY
) -> list[Alert]:
    return corrections(RulesInForce(registry), Subject("dry", "north", hours(values), latest(known)), reach, now)


def test_a_missing_alert_is_added_once_and_nobody_is_notified() -> None:
    values = [0.3, 0.1, 0.1, 0.3]
    rows = corrected(values)
    assert [(row.state, row.event_time, row.site_name) for row in rows] == [
        (AlertChange.OPENED, BEGIN + HOUR, "North"),
        (AlertChange.RESOLVED, BEGIN + 3 * HOUR, "North"),
    ]
    assert all(row.historical and not row.notified for row in rows)
    assert corrected(values, rows) == []


def test_an_alert_that_no_value_supports_is_retracted_once_and_says_why() -> None:
    [opened] = corrected([0.1])
    told = replace(opened, historical=False, notified=True)
    [row] = corrected([0.3, 0.3], [told])
    assert (row.alert_id, row.state, row.revision, row.notified) == (opened.alert_id, AlertChange.RETRACTED, 1, False)
    assert "retracted" in row.message
    assert corrected([0.3, 0.3], [told, row]) == []


def test_an_alert_that_the_values_support_is_left_as_it_is() -> None:
    [opened] = corrected([0.1])
    assert corrected([0.1, 0.12], [opened]) == []


def test_an_alert_that_shows_another_value_or_end_gets_one_row_that_is_right() -> None:
    rows = corrected([0.3, 0.1, 0.1, 0.3])
    wrong = [rows[0], replace(rows[1], event_time=BEGIN + 2 * HOUR, value=0.31)]
    [row] = corrected([0.3, 0.1, 0.1, 0.3], wrong)
    assert (row.alert_id, row.state, row.event_time, row.value, row.revision) == (rows[0].alert_id, "resolved", BEGIN + 3 * HOUR, 0.3, 2)
    assert shown([*wrong, row]) == shown(rows)


def test_an_alert_that_opened_earlier_than_a_run_saw_takes_its_place_and_people_know_of_it() -> None:
    [late] = corrected([0.3, 0.3, 0.1])
    told = replace(late, historical=False, notified=True)
    added, retracted = corrected([0.3, 0.1, 0.1], [told])
    assert (added.opened_time, added.notified, added.historical) == (BEGIN + HOUR, True, False)
    assert (retracted.alert_id, retracted.state) == (late.alert_id, AlertChange.RETRACTED)
    assert shown([told, added, retracted]) == shown(corrected([0.3, 0.1, 0.1]))


def test_what_is_younger_than_an_hour_is_left_to_the_running_pipeline() -> None:
    [opened] = corrected([0.1])
    now = BEGIN + timedelta(hours=2, minutes=59)
    assert corrected([0.1, 0.3], [opened], replace(ALL, known_by=now - HOUR), now) == []
    assert corrected([0.1], [], replace(ALL, known_by=BEGIN + timedelta(minutes=59)), now) == []
    assert len(corrected([0.1], [], replace(ALL, known_by=BEGIN + HOUR), now)) == 1


def test_an_alert_that_a_pipeline_has_newer_rows_of_is_left_with_all_of_its_time() -> None:
    [late] = corrected([0.3, 0.3, 0.1])
    newer = replace(late, revision=1, state=AlertChange.RESOLVED, event_time=BEGIN + 5 * HOUR)
    reach, now = replace(ALL, known_by=BEGIN + 5 * HOUR), BEGIN + 6 * HOUR
    assert corrected([0.3, 0.1, 0.1], [late, newer], reach, now) == []
    assert len(corrected([0.3, 0.1, 0.1], [late], reach, now)) == 2


def test_an_alert_from_before_goes_on_ends_and_comes_back_as_itself() -> None:
    rule = SiteWindowRule(name="dry", channel="moisture", below=0.2, window_seconds=3600, cooldown_seconds=7200)
    rules = RulesInForce(Registry((SITE,), (), (rule,)))
    rows = corrected([0.1])
    after = hours([0.3, 0.1, 0.3, 0.3], BEGIN + 48 * HOUR)
    reach = Reach(BEGIN + 47 * HOUR, BEGIN + 47 * HOUR, NOW - HOUR)
    [row] = corrections(rules, Subject("dry", "north", after, latest(rows), rows[0]), reach, NOW)
    assert (row.alert_id, row.state, row.event_time) == (rows[0].alert_id, AlertChange.RESOLVED, BEGIN + 50 * HOUR)


def test_an_alert_of_a_device_that_is_gone_ends_once() -> None:
    rule = EventRule(name="frost", event="frost", opens=("low",))
    gone = Device(device_id="soil-1", site_id="north", kind="soil", valid_from=BEGIN - timedelta(days=30), valid_to=BEGIN + HOUR)
    rules = RulesInForce(Registry((SITE,), (gone,), (rule,)))
    low = Observation(
        rule="frost",
        subject="soil-1",
        device_id="soil-1",
        site_id="north",
        at=micros(BEGIN),
        known_at=micros(BEGIN),
        state="low",
        text="low",
    )
    rows = corrections(rules, Subject("frost", "soil-1", [low]), ALL, NOW)
    assert [row.state for row in rows] == [AlertChange.OPENED, AlertChange.RESOLVED]
    assert "no longer stands anywhere" in rows[1].message
    later = NOW + 5 * HOUR
    assert corrections(rules, Subject("frost", "soil-1", [low], latest(rows)), replace(ALL, known_by=later - HOUR), later) == []


def of_rule(**settings: float) -> Registry:
    rule = SiteWindowRule(name="dry", channel="moisture", below=0.2, window_seconds=3600, **settings)  # type: ignore[arg-type]
    return Registry((SITE,), (), (rule,))


@pytest.mark.parametrize("cooldown_seconds", [0, 3600, 10_000])
@pytest.mark.parametrize("seed", range(20))
def test_whatever_runs_saw_and_lost_in_any_order_the_alerts_become_what_one_run_over_all_says(seed: int, cooldown_seconds: int) -> None:
    rng, registry = random.Random(seed), of_rule(hysteresis=0.05, cooldown_seconds=cooldown_seconds)
    values = [round(rng.uniform(0.1, 0.3), 3) for _ in range(rng.randint(2, 60))]
    known: list[Alert] = []
    for _ in range(3):  # each run sees some of them, late or wrongly or at once, and begins with nothing
        seen = [one if rng.random() < 0.8 else with_another_value(one, rng) for one in hours(values) if rng.random() < 0.7]
        arrivals = [(one.known_at + rng.choice([0, 0, 3600, 86_400]) * 1_000_000, one) for one in seen]
        known += engine_twin.run(RulesInForce(registry), arrivals, micros(NOW))
    known += corrected(values, known, registry=registry)
    assert shown(known) == shown(corrected(values, registry=registry)), f"seed {seed}"
    assert corrected(values, known, registry=registry) == []


def with_another_value(one: Observation, rng: random.Random) -> Observation:
    value = rng.uniform(0.1, 0.3)
    return Observation(rule="dry", subject="north", at=one.at, known_at=one.known_at, value=value, site_id="north", text="early")


@pytest.mark.parametrize("seed", range(20))
def test_alerts_that_are_looked_at_again_and_again_by_less_and_less_of_their_past_are_what_all_of_it_says(seed: int) -> None:
    rng = random.Random(seed)
    registry = of_rule(hysteresis=rng.choice([0.0, 0.05]), cooldown_seconds=rng.choice([0, 3600, 10_000, 40_000]))
    values = wandering(rng)
    known: list[Alert] = []
    for hour in range(2, len(values) + 12, rng.randint(1, 10)):
        now = BEGIN + hour * HOUR
        reach = Reach(ALL.begin, now - rng.choice([12, 26]) * HOUR, now - HOUR)
        known += corrected(values[:hour], known, reach, now, registry)
        assert corrected(values[:hour], known, reach, now, registry) == []
    assert shown(known) == shown(corrected(values, registry=registry))


def wandering(rng: random.Random) -> list[float]:
    values = [0.2]
    for _ in range(100):
        values.append(round(min(0.3, max(0.1, values[-1] + rng.gauss(0, 0.03))), 3))
    return values
