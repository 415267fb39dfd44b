"""A surge of rejects is told once and resolved once, however many there are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from pipeline import rejects
from pipeline.alerts.observation import Observation
from pipeline.alerts.sources.rejects import COUNTED, Counted, RejectsSource
from pipeline.elements import TableRows
from pipeline.refused import Refused
from schemas.envelope import micros
from schemas.rules.rejects import RejectsRule
from tests.pipeline.bodies import NOW, REGISTRY, message, one_of, summary, with_sites
from tests.pipeline.golden_bytes import golden

RULE = RejectsRule(name="surge", above=10, window_seconds=600)


def undecodable(minutes: float, gateway_id: str = "gw1", number: int = 1) -> TableRows:
    sent = message([summary()], gateway_id=gateway_id, seq=number)
    return rejects.of_message(Refused(sent, "bad_schema", "no"), at(minutes))


def at(minutes: float) -> datetime:
    return NOW + timedelta(minutes=minutes)


class Engine:
    """Keeps states and timers of the memory, as the engine does."""

    def __init__(self, *rules: RejectsRule) -> None:
        self.source = RejectsSource(rules or (RULE,), REGISTRY)
        self.states: dict[str, bytes | None] = {}
        self.timers: dict[str, int] = {}
        self.observed: list[Observation] = []

    def hear(self, elements: Iterable[TableRows], minutes: float) -> None:
        self.wait(minutes)
        for element in elements:
            for key, report in self.source.reports(element):
                self._keep(key, self.source.memory("counts").on_report(self.states.get(key), key, report, micros(at(minutes))))

    def wait(self, minutes: float) -> None:
        while due := [(time, key) for key, time in self.timers.items() if time <= micros(at(minutes))]:
            time, key = min(due)
            del self.timers[key]
            self._keep(key, self.source.memory("counts").on_timer(self.states.get(key), key, time))

    def _keep(self, key, outcome) -> None:
        self.states[key] = outcome.state
        if outcome.timer is not None:
            self.timers[key] = outcome.timer
        self.observed += outcome.found

    @property
    def told(self) -> list[tuple[str, str | None, float | None]]:
        return [(each.subject, each.state, each.value) for each in self.observed]


def test_a_surge_opens_once_and_ends_when_it_is_over() -> None:
    engine = Engine()
    for minute in range(30):
        engine.hear([undecodable(minute, number=1 + 100 * minute + number) for number in range(50)], minute)
    assert engine.told == [("gw1", "surge", 11)]
    assert engine.observed[0].text == "gateway gw1: 11 rejects in 10 min, most of them bad_schema: update the pipeline, then replay"
    engine.wait(60)
    assert engine.told[1:] == [("gw1", "usual", 0)]
    assert engine.states == {"surge:gw1": None}


def test_as_many_as_the_limit_are_no_surge_and_those_of_another_time_do_not_count() -> None:
    engine = Engine()
    for minute in range(0, 200, 20):
        engine.hear([undecodable(minute, number=1 + minute + number) for number in range(10)], minute)
    assert engine.told == []


def test_what_a_gateway_set_aside_before_an_outage_is_history() -> None:
    engine = Engine()
    engine.hear([undecodable(0, number=1 + number) for number in range(100)], 60)
    assert engine.told == []


def test_rejects_of_a_gateway_count_by_gateway_and_those_of_nobody_too() -> None:
    engine = Engine(replace_above(RULE, 2))
    rows = [replace(one_of("rejects"), timestamp=at(0))] * 3
    engine.hear(rejects.of_gateway(with_sites(rows)), 0)
    engine.hear([undecodable(0, gateway_id="?", number=number) for number in range(1, 4)], 0)
    assert engine.told == [("gw1", "surge", 3), ("unknown", "surge", 3)]
    assert list(rejects.of_gateway(with_sites([summary()]))) == []


def test_3_one_batch_under_a_taken_name_is_told_with_what_to_do() -> None:
    engine = Engine(RejectsRule(name="shared", above=0, reasons=("name_taken",)))
    engine.hear([undecodable(0, number=number) for number in range(1, 9)], 0)
    assert engine.told == []
    engine.hear([rejects.of_message(Refused(message([summary()], seq=9), "name_taken", "another batch came"), at(1))], 1)
    assert engine.told == [("gw1", "surge", 1)]
    assert engine.observed[0].text.startswith("gateway gw1: 1 rejects in 10 min, most of them name_taken: two boxes share a name: ")
    engine.wait(60)
    assert engine.told[1:] == [("gw1", "usual", 0)]


def replace_above(rule: RejectsRule, above: int) -> RejectsRule:
    return RejectsRule(name=rule.name, above=above, window_seconds=rule.window_seconds)


def test_a_rule_that_is_gone_is_forgotten() -> None:
    engine = Engine()
    engine.hear([undecodable(0)], 0)
    engine.source = RejectsSource((), REGISTRY)
    engine.wait(60)
    assert engine.states == {"surge:gw1": None}


@pytest.mark.parametrize("gateways", [("other-*",), ("gw2",)])
def test_gateways_that_a_rule_does_not_name_are_not_counted(gateways: tuple[str, ...]) -> None:
    engine = Engine(RejectsRule(name="surge", above=1, gateways=gateways))
    engine.hear([undecodable(0, number=number) for number in range(1, 9)], 0)
    assert engine.told == []


def test_the_state_of_the_first_version_is_read() -> None:
    state = Counted({1777636800: 3, 1777636860: 9}, surges=True, reason="bad_schema")
    assert COUNTED.pack(state) == golden("counted_rejects", 1)
    assert COUNTED.unpack(golden("counted_rejects", 1)) == state
