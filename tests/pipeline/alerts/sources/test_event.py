"""What rules see of events; and that what no rule watches costs next to nothing."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec import structs

from pipeline.alerts.sources.event import EventSource
from pipeline.elements import RowGroup
from schemas.envelope import micros
from schemas.records import Event
from schemas.rules.event import EventRule
from tests.pipeline.bodies import NOW, REGISTRY, one_of, with_sites

FROST = EventRule(name="frost", event="frost", opens=("low",))
COLD_NORTH = EventRule(name="cold-north", event="frost", opens=("low",), sites=("nor*",))


def observed(row_group: RowGroup, *rules: EventRule) -> list[Any]:
    return list(EventSource(rules, REGISTRY).observe(row_group, micros(NOW)))


def events(*rows: Event, received: datetime = NOW) -> RowGroup:
    return with_sites(list(rows), received)


def frost(device: str = "d1", **changes: Any) -> Event:
    event = Event(
        device_id=device,
        event_time=NOW,
        cause="threshold",
        rule="frost",
        channel="temperature",
        previous_state="normal",
        state="low",
        value=-1.25,
        threshold=1.0,
        severity="warning",
        time_quality="synced",
    )
    return replace(event, **changes)


def test_an_event_is_observed_by_every_rule_that_watches_its_device_and_site() -> None:
    observations = observed(events(frost("d1"), frost("d2"), frost("d2", rule="heat")), FROST, COLD_NORTH)
    assert [(each.rule, each.subject, each.site_id, each.device_id) for each in observations] == [
        ("frost", "d1", "south", "d1"),
        ("frost", "d2", "north", "d2"),
        ("cold-north", "d2", "north", "d2"),
    ]
    first = observations[0]
    assert (first.state, first.value, first.threshold, first.at) == ("low", -1.25, 1.0, micros(NOW))
    assert first.text == "south, d1: temperature is low (-1.25)"


def test_a_label_is_said_by_its_model() -> None:
    dries = EventRule(name="dries", event="soil", opens=("now",))
    [observation] = observed(events(frost(rule="soil", channel=None, state="now")), dries)
    assert observation.text == "south, d1: soil says now"


def test_a_rule_has_words_for_what_people_read() -> None:
    frost_in_words = EventRule(name="frost", event="frost", opens=("low",), unit="°C", words={"low": "it freezes"})
    [low, over] = observed(events(frost(), frost(state="normal", value=2.0)), frost_in_words)
    assert (low.text, over.text) == ("south, d1: it freezes (-1.25 °C)", "south, d1: temperature is normal (2 °C)")
    dries = EventRule(name="dries", event="soil", opens=("now",), words={"now": "the crop lacks water"})
    [said] = observed(events(frost(rule="soil", channel=None, state="now")), dries)
    assert said.text == "south, d1: the crop lacks water"


def test_an_event_far_ahead_of_its_arrival_counts_as_of_its_arrival() -> None:
    rows = [frost(event_time=NOW + timedelta(minutes=minutes)) for minutes in (4, 6, 60 * 24)]
    observations = observed(events(*rows), FROST)
    assert [observation.at - micros(NOW) for observation in observations] == [240_000_000, 0, 0]
    assert observations[1].order < observations[2].order, "those of one batch keep their order"


@pytest.mark.parametrize("kind", ["summaries", "inferences", "heartbeats", "rejects"])
def test_other_kinds_are_not_looked_at(kind: str) -> None:
    assert observed(with_sites([one_of(kind)]), FROST) == []


def test_a_site_has_its_latest_name() -> None:
    old = replace(REGISTRY.sites[1], name="Old", valid_from=datetime(1960, 1, 1, tzinfo=UTC))
    registry = replace(REGISTRY, sites=(replace(REGISTRY.sites[1], name="South Field"), old))
    [observation] = EventSource([FROST], registry).observe(events(frost()), micros(NOW))
    assert observation.text.startswith("South Field, d1")


def test_a_batch_that_no_rule_watches_costs_next_to_nothing() -> None:
    """Against the same batch with a rule that watches every row: at least twenty times less."""
    row_group = events(*(frost("d1", event_time=NOW + timedelta(microseconds=number)) for number in range(5000)))
    idle, busy = EventSource([structs.replace(FROST, event="other")], REGISTRY), EventSource([FROST], REGISTRY)
    costs = []
    for source, count in ((idle, 0), (busy, 5000)):
        seconds = []
        for _ in range(5):
            begin = time.perf_counter()
            assert len(list(source.observe(row_group, micros(NOW)))) == count
            seconds.append(time.perf_counter() - begin)
        costs.append(min(seconds))
    assert costs[0] * 20 < costs[1]
