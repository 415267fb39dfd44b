"""Who is silent: judged by what the gateway delivered, never by data that are only late."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from pipeline.alerts.gateway_report import gateway_reports
from pipeline.alerts.observation import Observation
from pipeline.alerts.sources.silence import GatewayLiveness, Liveness, SilenceSource
from pipeline.elements import RowGroup
from schemas.envelope import from_micros, micros
from schemas.registry import Registry
from schemas.rules.silence import SilenceRule
from tests.pipeline.bodies import NOW, REGISTRY, one_of, summary, with_sites

SILENT, ALIVE = Liveness.SILENT, Liveness.ALIVE
DEVICE = SilenceRule(name="silent", silent_seconds=600, devices=("d*",))
GATEWAY = SilenceRule(name="gone", silent_seconds=900, subject="gateway")
MINUTE = timedelta(minutes=1)


def at(minutes: float) -> datetime:
    return NOW + minutes * MINUTE


def summaries(minutes: float, device: str = "d1", **changes: Any) -> RowGroup:
    """Of the minute that ends then."""
    row = summary(device, at(minutes - 1), last_time=at(minutes))
    return with_sites([replace(row, **changes)], at(minutes))


def heartbeat(minutes: float, pending: float | None = None, received: float | None = None) -> RowGroup:
    oldest = None if pending is None else at(pending)
    row = replace(one_of("heartbeats"), heartbeat_time=at(minutes), oldest_pending_time=oldest)
    return with_sites([row], at(minutes if received is None else received))


class Engine:
    """One gateway as the engine sees it; `observed` are (rule, subject, state, minutes)."""

    def __init__(self, *rules: SilenceRule, registry: Registry = REGISTRY) -> None:
        self.source, self.liveness = SilenceSource(rules or (DEVICE, GATEWAY), registry), GatewayLiveness()
        self.observed: list[tuple[str, str, str | None, float]] = []

    def hear(self, row_group: RowGroup, now: datetime | None = None) -> None:
        for _, report in self.source.reports(row_group):
            self.liveness, observations = self.source.on_report(self.liveness, report, micros(now) if now else report.received)
            self._note(observations)

    def wait(self, minutes: float) -> None:
        """Until then nothing arrives."""
        while (due := self.source.next_timer(self.liveness, "gw1")) is not None and due <= micros(at(minutes)):
            self.wake(due)

    def wake(self, now: int) -> None:
        self.liveness, observations = self.source.on_timer(self.liveness, "gw1", now)
        self._note(observations)

    def _note(self, observations: list[Observation]) -> None:
        for observation in observations:
            minutes = (from_micros(observation.at) - NOW) / MINUTE
            self.observed.append((observation.rule, observation.subject, observation.state, minutes))

    def of(self, state: str) -> list[tuple[str, str, float]]:
        return [(rule, subject, minutes) for rule, subject, word, minutes in self.observed if word == state]


def test_a_device_is_silent_when_its_gateway_has_delivered_everything_and_it_is_not_in_it() -> None:
    engine = Engine()
    engine.hear(summaries(1))
    for minutes in range(2, 20):
        engine.hear(heartbeat(minutes))
    assert engine.of(SILENT) == [("silent", "d1", 11)]
    engine.hear(summaries(20))
    assert engine.of(ALIVE)[-1] == ("silent", "d1", 20)


def test_a_backlog_behind_its_heartbeats_is_not_silence() -> None:
    """After an outage heartbeats overtake summaries: each says since when batches wait."""
    engine = Engine()
    engine.hear(summaries(1))
    for minutes in range(2, 60):
        engine.hear(heartbeat(minutes, pending=2), now=at(60))
    for minutes in range(2, 61):
        engine.hear(summaries(minutes), now=at(60))
    engine.hear(heartbeat(61))
    assert engine.of(SILENT) == []


def test_a_device_that_died_in_the_outage_is_found_once_the_backlog_is_through() -> None:
    engine = Engine()
    for device in ("d1", "d2"):
        engine.hear(summaries(1, device))
    engine.hear(heartbeat(60, pending=2))
    engine.hear(summaries(60, "d2"))
    engine.hear(heartbeat(61))
    assert engine.of(SILENT) == [("silent", "d1", 11)]


def test_a_heartbeat_that_waited_before_it_was_seen_judges_nobody() -> None:
    engine = Engine()
    engine.hear(summaries(1))
    engine.hear(heartbeat(30), now=at(32.1))
    assert engine.of(SILENT) == []
    engine.hear(heartbeat(33), now=at(34.9))
    assert engine.of(SILENT) == [("silent", "d1", 11)]


def test_while_the_gateway_says_nothing_no_device_of_it_is_silent_but_it_is() -> None:
    engine = Engine()
    engine.hear(summaries(1))
    engine.hear(heartbeat(2))
    engine.wait(300)
    assert engine.of(SILENT) == [("gone", "gw1", 17)]
    engine.hear(heartbeat(300))
    assert engine.of(ALIVE)[-1] == ("gone", "gw1", 300)
    engine.wait(400)
    assert engine.of(SILENT)[-1] == ("gone", "gw1", 315)


def test_anything_that_arrives_of_a_gateway_shows_that_it_lives_even_if_it_is_old() -> None:
    engine = Engine()
    for minutes in range(0, 100, 10):
        engine.hear(summaries(-500 - minutes), now=at(minutes))
        engine.wait(minutes + 10)
    assert engine.of(SILENT) == []


def test_when_the_pipeline_itself_slept_the_gateway_gets_its_time_anew() -> None:
    engine = Engine()
    engine.hear(heartbeat(0))
    for minutes, silent in ((60, False), (74, False), (75, True)):
        engine.wake(micros(at(minutes)))
        assert bool(engine.of(SILENT)) == silent, minutes


def test_a_device_that_was_never_heard_or_that_no_rule_watches_is_not_judged() -> None:
    engine = Engine(structs.replace(DEVICE, devices=("d2",)), structs.replace(GATEWAY, gateways=("other",)))
    engine.hear(summaries(1))
    engine.hear(heartbeat(60))
    engine.wait(300)
    assert engine.observed == []


def test_a_device_that_stands_nowhere_any_more_is_let_go() -> None:
    until = at(30)
    ended = [replace(row, valid_to=until) if row.device_id == "d1" and row.valid_to is None else row for row in REGISTRY.devices]
    engine = Engine(DEVICE, registry=replace(REGISTRY, devices=tuple(ended)))
    engine.hear(summaries(1))
    engine.hear(heartbeat(29))
    engine.hear(heartbeat(31))
    assert (engine.of(SILENT), engine.of(ALIVE)[-1]) == ([("silent", "d1", 11)], ("silent", "d1", 31))
    engine.hear(heartbeat(90))
    assert len(engine.of(SILENT)) == 1


def test_a_device_that_moved_to_another_gateway_is_passed_on_as_heard_there() -> None:
    """Each gateway's state knows nothing of the other's; the alert sees the observations of both."""
    old, new = Engine(), Engine()
    old.hear(summaries(1))
    for minutes in range(2, 40):
        new.hear(summaries(minutes))
        old.hear(heartbeat(minutes))
    silent = [minutes for _, _, minutes in old.of(SILENT)]
    words = [minutes for _, _, minutes in new.of(ALIVE)]
    assert silent == [11]
    assert any(silent[0] < minutes <= silent[0] + 10 for minutes in words)
    assert len(words) == 4, "a device that is heard is passed on at most once in silent_seconds"


def test_a_reading_from_the_future_does_not_hide_a_device_for_long() -> None:
    engine = Engine()
    engine.hear(summaries(1, last_time=at(100_000)))
    for minutes in range(2, 20):
        engine.hear(heartbeat(minutes))
    assert engine.of(SILENT) == [("silent", "d1", 16)]


def test_a_batch_reports_of_each_device_its_latest_time_and_site() -> None:
    rows = [summary(device, at(0), last_time=at(minutes)) for device, minutes in (("d1", 1), ("d2", 5), ("d1", 3), ("d1", 2))]
    [report] = gateway_reports(with_sites(rows, at(6)))
    assert report.devices == {"d1": (micros(at(3)), "south"), "d2": (micros(at(5)), "north")}
    assert (report.heartbeat, report.complete) == (None, None)


@pytest.mark.parametrize("kind", ["inferences", "events", "rejects"])
def test_other_kinds_show_that_the_gateway_lives_and_nothing_else(kind: str) -> None:
    [report] = gateway_reports(with_sites([one_of(kind)], at(1)))
    assert (report.gateway_id, report.devices, report.heartbeat) == ("gw1", {}, None)


@given(st.lists(st.tuples(st.integers(0, 60), st.booleans()), max_size=40))
def test_states_of_a_device_take_turns(course: list[tuple[int, bool]]) -> None:
    engine = Engine()
    for minutes, beats in sorted(course):
        engine.hear(heartbeat(minutes) if beats else summaries(minutes))
    states = [state for rule, _, state, _ in engine.observed if rule == "silent"]
    assert all(later != SILENT or before != SILENT for before, later in pairwise(states))
