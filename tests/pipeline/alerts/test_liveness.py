"""Who is silent: judged by what the gateway delivered, never by data that are only late."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.alerts.liveness import Liveness, Presence, heard
from pipeline.alerts.state_machine import HEARD, SILENT, Observation
from pipeline.elements import RowGroup
from schemas.envelope import from_micros, micros
from schemas.rules import Rule
from tests.pipeline.bodies import NOW, REGISTRY, one_of, summary, with_sites

DEVICE = Rule("silent", "silence", silent_seconds=600, devices=("d*",))
GATEWAY = Rule("gone", "silence", silent_seconds=900, subject="gateway")
MINUTE = timedelta(minutes=1)


def at(minutes: float) -> datetime:
    return NOW + minutes * MINUTE


def summaries(minutes: float, device: str = "d1", **changes: Any) -> RowGroup:
    """Of the minute that ends then."""
    made = summary(device, at(minutes - 1), last_time=at(minutes))
    return with_sites([replace(made, **changes)], at(minutes))


def heartbeat(minutes: float, pending: float | None = None, received: float | None = None) -> RowGroup:
    oldest = None if pending is None else at(pending)
    row = replace(one_of("heartbeats"), heartbeat_time=at(minutes), oldest_pending_time=oldest)
    return with_sites([row], at(minutes if received is None else received))


class Watch:
    """One gateway as the engine sees it; `told` are (rule, subject, state, minutes)."""

    def __init__(self, *rules: Rule) -> None:
        self.liveness, self.presence = Liveness(replace(REGISTRY, rules=rules or (DEVICE, GATEWAY))), Presence()
        self.told: list[tuple[str, str, str | None, float]] = []

    def hear(self, one: RowGroup, now: datetime | None = None) -> None:
        for told in heard(one):
            self._note(self.liveness.hear(self.presence, told, micros(now) if now else told.received))

    def wait(self, minutes: float) -> None:
        """Until then nothing arrives."""
        while (due := self.liveness.next_judgement(self.presence, "gw1")) is not None and due <= micros(at(minutes)):
            self._note(self.liveness.judge_gateway(self.presence, "gw1", due))

    def _note(self, observations: Any) -> None:
        for one in observations:
            assert isinstance(one, Observation)
            self.told.append((one.rule, one.subject, one.state, (from_micros(one.at) - NOW) / MINUTE))

    def of(self, state: str) -> list[tuple[str, str, float]]:
        return [(rule, subject, minutes) for rule, subject, said, minutes in self.told if said == state]


def test_a_device_is_silent_when_its_gateway_has_delivered_everything_and_it_is_not_in_it() -> None:
    watch = Watch()
    watch.hear(summaries(1))
    for minutes in range(2, 20):
        watch.hear(heartbeat(minutes))
    assert watch.of(SILENT) == [("silent", "d1", 11)]
    watch.hear(summaries(20))
    assert watch.of(HEARD)[-1] == ("silent", "d1", 20)


def test_a_backlog_behind_its_heartbeats_is_not_silence() -> None:
    """After an outage heartbeats overtake summaries: each says since when batches wait."""
    watch = Watch()
    watch.hear(summaries(1))
    for minutes in range(2, 60):
        watch.hear(heartbeat(minutes, pending=2), now=at(60))
    for minutes in range(2, 61):
        watch.hear(summaries(minutes), now=at(60))
    watch.hear(heartbeat(61))
    assert watch.of(SILENT) == []


def test_a_device_that_died_in_the_outage_is_found_once_the_backlog_is_through() -> None:
    watch = Watch()
    for device in ("d1", "d2"):
        watch.hear(summaries(1, device))
    watch.hear(heartbeat(60, pending=2))
    watch.hear(summaries(60, "d2"))
    watch.hear(heartbeat(61))
    assert watch.of(SILENT) == [("silent", "d1", 11)]


def test_a_heartbeat_that_waited_before_it_was_seen_judges_nobody() -> None:
    watch = Watch()
    watch.hear(summaries(1))
    watch.hear(heartbeat(30), now=at(32.1))
    assert watch.of(SILENT) == []
    watch.hear(heartbeat(33), now=at(34.9))
    assert watch.of(SILENT) == [("silent", "d1", 11)]


def test_while_the_gateway_says_nothing_no_device_of_it_is_silent_but_it_is() -> None:
    watch = Watch()
    watch.hear(summaries(1))
    watch.hear(heartbeat(2))
    watch.wait(300)
    assert watch.of(SILENT) == [("gone", "gw1", 17)]
    watch.hear(heartbeat(300))
    assert watch.of(HEARD)[-1] == ("gone", "gw1", 300)
    watch.wait(400)
    assert watch.of(SILENT)[-1] == ("gone", "gw1", 315)


def test_anything_that_arrives_of_a_gateway_shows_that_it_lives_even_if_it_is_old() -> None:
    watch = Watch()
    for minutes in range(0, 100, 10):
        watch.hear(summaries(-500 - minutes), now=at(minutes))
        watch.wait(minutes + 10)
    assert watch.of(SILENT) == []


def test_when_the_pipeline_itself_slept_the_gateway_gets_its_time_anew() -> None:
    watch = Watch()
    watch.hear(heartbeat(0))
    for minutes, silent in ((60, False), (74, False), (75, True)):
        watch._note(watch.liveness.judge_gateway(watch.presence, "gw1", micros(at(minutes))))
        assert bool(watch.of(SILENT)) == silent, minutes


def test_a_device_that_was_never_heard_or_that_no_rule_watches_is_not_judged() -> None:
    watch = Watch(replace(DEVICE, devices=("d2",)), replace(GATEWAY, gateways=("other",)))
    watch.hear(summaries(1))
    watch.hear(heartbeat(60))
    watch.wait(300)
    assert watch.told == []


def test_a_device_that_stands_nowhere_any_more_is_let_go() -> None:
    until = at(30)
    ended = [replace(stay, valid_to=until) if stay.device_id == "d1" and stay.valid_to is None else stay for stay in REGISTRY.devices]
    watch = Watch()
    watch.liveness = Liveness(replace(REGISTRY, rules=(DEVICE,), devices=tuple(ended)))
    watch.hear(summaries(1))
    watch.hear(heartbeat(29))
    watch.hear(heartbeat(31))
    assert (watch.of(SILENT), watch.of(HEARD)[-1]) == ([("silent", "d1", 11)], ("silent", "d1", 31))
    watch.hear(heartbeat(90))
    assert len(watch.of(SILENT)) == 1


def test_a_device_that_moved_to_another_gateway_is_passed_on_as_heard_there() -> None:
    """Each gateway's state knows nothing of the other's; the alert sees the observations of both."""
    old, new = Watch(), Watch()
    old.hear(summaries(1))
    for minutes in range(2, 40):
        new.hear(summaries(minutes))
        old.hear(heartbeat(minutes))
    silent = [minutes for _, _, minutes in old.of(SILENT)]
    words = [minutes for _, _, minutes in new.of(HEARD)]
    assert silent == [11]
    assert any(silent[0] < minutes <= silent[0] + 10 for minutes in words)
    assert len(words) == 4, "a device that is heard is passed on at most once in silent_seconds"


def test_a_reading_from_the_future_does_not_hide_a_device_for_long() -> None:
    watch = Watch()
    watch.hear(summaries(1, last_time=at(100_000)))
    for minutes in range(2, 20):
        watch.hear(heartbeat(minutes))
    assert watch.of(SILENT) == [("silent", "d1", 16)]


def test_a_batch_tells_of_each_device_its_latest_time_and_site() -> None:
    rows = [summary(device, at(0), last_time=at(minutes)) for device, minutes in (("d1", 1), ("d2", 5), ("d1", 3), ("d1", 2))]
    [told] = heard(with_sites(rows, at(6)))
    assert told.devices == {"d1": (micros(at(3)), "south"), "d2": (micros(at(5)), "north")}
    assert (told.heartbeat, told.complete) == (None, None)


@pytest.mark.parametrize("kind", ["inferences", "events", "rejects"])
def test_other_kinds_show_that_the_gateway_lives_and_nothing_else(kind: str) -> None:
    [told] = heard(with_sites([one_of(kind)], at(1)))
    assert (told.gateway_id, told.devices, told.heartbeat) == ("gw1", {}, None)


@given(st.lists(st.tuples(st.integers(0, 60), st.booleans()), max_size=40))
def test_states_of_a_device_take_turns(course: list[tuple[int, bool]]) -> None:
    watch = Watch()
    for minutes, beats in sorted(course):
        watch.hear(heartbeat(minutes) if beats else summaries(minutes))
    states = [state for rule, _, state, _ in watch.told if rule == "silent"]
    assert all(later != SILENT or before != SILENT for before, later in pairwise(states))
