"""What the rules see of events, windows and days; and that what no rule watches costs next to nothing."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipeline.alerts.observe import Watch
from pipeline.elements import RowGroup
from pipeline.rollup.stats import Key, Stats
from schemas.envelope import micros
from schemas.records import Event, Irrigation
from schemas.rules import Rule
from tests.pipeline.bodies import NOW, REGISTRY, one_of, with_sites

FROST = Rule("frost", "event", event="frost", opens=("low",))
COLD_NORTH = Rule("cold-north", "event", event="frost", opens=("low",), sites=("nor*",))
DRY = Rule("dry", "site_window", channel="moisture", window_seconds=3600, below=0.15, sites=("north",))
NEED = Rule("need", "irrigation", column="need_mm", above=20.0)
DAYS = Rule("days", "irrigation", column="days_until_stress", below=2.0)


def watch(*rules: Rule) -> Watch:
    return Watch(replace(REGISTRY, rules=rules))


def events(*rows: Event, received: datetime = NOW) -> RowGroup:
    return with_sites(list(rows), received)


def frost(device: str = "d1", **changes: Any) -> Event:
    made = Event(device, NOW, "threshold", "frost", "temperature", "normal", "low", -1.25, 1.0, "warning", "synced")
    return replace(made, **changes)


def test_an_event_is_seen_by_every_rule_that_watches_its_device_and_site() -> None:
    seen = list(watch(FROST, COLD_NORTH).events(events(frost("d1"), frost("d2"), frost("d2", rule="heat"))))
    assert [(one.rule, one.subject, one.site_id, one.device_id) for one in seen] == [
        ("frost", "d1", "south", "d1"),
        ("frost", "d2", "north", "d2"),
        ("cold-north", "d2", "north", "d2"),
    ]
    assert (seen[0].state, seen[0].value, seen[0].threshold, seen[0].at) == ("low", -1.25, 1.0, micros(NOW))
    assert seen[0].text == "south, d1: temperature is low (-1.25)"


def test_a_label_is_said_by_its_model() -> None:
    [seen] = watch(Rule("dries", "event", event="soil", opens=("now",))).events(events(frost(rule="soil", channel=None, state="now")))
    assert seen.text == "south, d1: soil says now (-1.25)"


def test_an_event_far_ahead_of_its_arrival_counts_as_of_its_arrival() -> None:
    rows = [frost(event_time=NOW + timedelta(minutes=minutes)) for minutes in (4, 6, 60 * 24)]
    seen = list(watch(FROST).events(events(*rows)))
    assert [one.at - micros(NOW) for one in seen] == [240_000_000, 0, 0]
    assert seen[1].order < seen[2].order, "those of one batch keep their order"


@pytest.mark.parametrize("kind", ["summaries", "inferences", "heartbeats", "rejects"])
def test_other_kinds_are_not_looked_at(kind: str) -> None:
    assert list(watch(FROST).events(with_sites([one_of(kind)]))) == []


def test_a_window_is_seen_with_its_mean_at_its_start_and_is_not_old_before_its_end() -> None:
    start = int(NOW.timestamp())
    stats = Stats(4, 0.4, 0.0, 0.1, 0.1, 2)
    [seen] = watch(DRY).window(Key("north", "moisture", "m3/m3", start), (3600, start, stats), 3, micros(NOW))
    assert (seen.subject, seen.at, seen.revision, seen.known) == ("north", micros(NOW), 3, micros(NOW + timedelta(hours=1)))
    assert (seen.value, seen.threshold, seen.device_id) == (pytest.approx(0.1), 0.15, None)
    for key, seconds in ((("south", "moisture"), 3600), (("north", "temperature"), 3600), (("north", "moisture"), 60)):
        assert list(watch(DRY).window(Key(*key, "m3/m3", start), (seconds, start, stats), 0, micros(NOW))) == []


def test_a_day_of_irrigation_is_seen_by_its_columns_and_not_where_one_is_unknown() -> None:
    values: dict[str, Any] = dict.fromkeys(Irrigation.__slots__, 0.0)
    day = Irrigation(**values | {"site_id": "north", "moisture_time": NOW, "need_mm": 25.0, "days_until_stress": None, "revision": 2})
    [seen] = watch(NEED, DAYS).irrigation(day, micros(NOW))
    hour = micros(NOW - timedelta(hours=1))
    assert (seen.rule, seen.subject, seen.value, seen.at, seen.known, seen.revision) == ("need", "north", 25.0, hour, micros(NOW), 2)
    assert seen.text == "north: 25 mm today"
    assert [one.rule for one in watch(NEED, DAYS).irrigation(replace(day, days_until_stress=1.0), micros(NOW))] == ["need", "days"]


@pytest.mark.parametrize(
    ("need", "volume", "days", "told"),
    [
        (14.2, 5.6, 0.7, "north: 14 mm today, 6 m3; 0.7 days until stress"),
        (59.0, 3046.4, 0.0, "north: 59 mm today, 3,046 m3; under stress now"),
        (0.0, 0.0, 9.04, "north: no water needed today; stress in 9.0 days without rain"),
    ],
)
def test_a_farmer_is_told_what_to_give_and_how_long_it_lasts(need: float, volume: float, days: float, told: str) -> None:
    values: dict[str, Any] = dict.fromkeys(Irrigation.__slots__, 0.0)
    known = {"site_id": "north", "moisture_time": NOW, "need_mm": need, "need_m3": volume, "days_until_stress": days, "revision": 0}
    assert [one.text for one in watch(DAYS).irrigation(Irrigation(**values | known), micros(NOW))] == [told]


def test_a_window_or_a_day_of_a_wrong_clock_that_has_not_begun_is_not_seen() -> None:
    """It would make the rule wait until that time."""
    begin, stats = int(NOW.timestamp()), Stats(4, 0.4, 0.0, 0.1, 0.1, 2)
    values: dict[str, Any] = dict.fromkeys(Irrigation.__slots__, 25.0)
    for ahead, seen in ((-3600, 1), (299, 1), (301, 0), (86_400, 0)):
        window = (3600, begin + ahead, stats)
        day = Irrigation(**values | {"site_id": "north", "moisture_time": NOW + timedelta(seconds=ahead, hours=1), "revision": 0})
        assert len(list(watch(DRY).window(Key("north", "moisture", "m3/m3", begin), window, 0, micros(NOW)))) == seen
        assert len(list(watch(NEED).irrigation(day, micros(NOW)))) == seen


def test_a_site_has_its_latest_name() -> None:
    old = replace(REGISTRY.sites[1], name="Old", valid_from=datetime(1960, 1, 1, tzinfo=UTC))
    registry = replace(REGISTRY, rules=(FROST,), sites=(replace(REGISTRY.sites[1], name="South Field"), old))
    assert next(Watch(registry).events(events(frost()))).text.startswith("South Field, d1")


def test_a_batch_that_no_rule_watches_costs_next_to_nothing() -> None:
    """Against the same batch with a rule that watches every row: at least twenty times less."""
    one = events(*(frost("d1", event_time=NOW + timedelta(microseconds=number)) for number in range(5000)))
    idle, busy = watch(replace(FROST, event="other")), watch(FROST)
    costs = []
    for watching, wanted in ((idle, 0), (busy, 5000)):
        runs = []
        for _ in range(5):
            begin = time.perf_counter()
            assert len(list(watching.events(one))) == wanted
            runs.append(time.perf_counter() - begin)
        costs.append(min(runs))
    assert costs[0] * 20 < costs[1]
