"""A gateway without uplink for a while: people are notified once of what lasts when it is back, and of nothing that is over.

The gateway here keeps what it cannot send, sends it in some order once it can, and says with each heartbeat since when something waits.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.alerts import engine_twin
from pipeline.alerts.in_force import RulesInForce
from pipeline.alerts.observation import Observation
from schemas.envelope import micros
from schemas.records import Alert
from schemas.registry import Registry
from schemas.rules.event import EventRule
from tests.pipeline.bodies import NOW, REGISTRY

RULE = EventRule(name="frost", event="frost", opens=("low",), cooldown_seconds=1)
RULES = RulesInForce(Registry(REGISTRY.sites, REGISTRY.devices, (RULE,)))
START, SECOND = micros(NOW), 1_000_000
HEARTBEAT = 60 * SECOND
TRANSPORT = SECOND
PROMPT = 90 * SECOND
WORD_TAKES = HEARTBEAT + 15 * SECOND
END = 8 * 3600 * SECOND


@dataclass
class World:
    """When the device was cold, and when the gateway had no uplink: [from, to) in microseconds after START."""

    cold: list[tuple[int, int]]
    outages: list[tuple[int, int]]
    order: str
    between: int
    """Time between two deliveries of what was kept."""
    repeats: list[int]

    def changes(self) -> list[tuple[int, str]]:
        return sorted((at, state) for begun, ended in self.cold for at, state in ((begun, "low"), (ended, "normal")))

    def is_cold(self, first: int, last: int) -> bool:
        return any(begun <= last and first < ended for begun, ended in self.cold)

    def outage(self, at: int) -> tuple[int, int] | None:
        return next((outage for outage in self.outages if outage[0] <= at < outage[1]), None)

    def arrivals(self) -> Iterator[tuple[int, Any]]:
        """What reaches the pipeline when: observations, and the gateway's word until when everything is delivered."""
        delivered: list[tuple[int, int]] = []
        for outage in [*self.outages, None]:
            kept = [change for change in self.changes() if self.outage(change[0]) == outage]
            arranged = kept[::-1] if self.order == "newest first" else kept
            if self.order == "shuffled":
                arranged = [kept[number] for number in sorted(range(len(kept)), key=lambda number: (number * 7919 + 3) % 101)]
            for number, (at, state) in enumerate(arranged):
                when = (outage[1] + number * self.between if outage else at) + TRANSPORT
                delivered.append((at, when))
                yield START + when, observed(at, state)
                for again in self.repeats:
                    yield START + when + again, observed(at, state)
        for heartbeat in range(0, END, HEARTBEAT):
            if not self.outage(heartbeat):
                waiting = [at for at, when in delivered if at <= heartbeat < when]
                yield START + heartbeat + TRANSPORT, ("gw", START + min([heartbeat, *waiting]))


def observed(at: int, state: str) -> Observation:
    return Observation(
        rule="frost",
        subject="d1",
        at=START + at,
        known_at=START + at,
        state=state,
        site_id="south",
        device_id="d1",
        gateway_id="gw",
        text="d1",
    )


def run(world: World) -> list[Alert]:
    return engine_twin.run(RULES, world.arrivals(), START + 2 * END)


def pages(rows: list[Alert]) -> list[Alert]:
    return [row for row in rows if row.notified and row.state != "resolved"]


def offset(row: Alert) -> int:
    return micros(row.as_of) - START


@st.composite
def worlds(draw: st.DrawFn) -> World:
    def spans(most: int, shortest: int) -> list[tuple[int, int]]:
        steps = draw(st.lists(st.integers(shortest, 4_000), min_size=0, max_size=2 * most))
        times = [sum(steps[: number + 1]) * SECOND for number in range(len(steps))]
        return [(begun, ended) for begun, ended in zip(times[::2], times[1::2], strict=False) if ended < END - 3_600 * SECOND]

    return World(
        cold=spans(6, 20),
        outages=spans(3, 100),
        order=draw(st.sampled_from(["oldest first", "newest first", "shuffled"])),
        between=draw(st.sampled_from([0, SECOND // 10, 20 * SECOND])),
        repeats=draw(st.lists(st.integers(0, 3_000).map(lambda seconds: seconds * SECOND), max_size=2)),
    )


@settings(max_examples=500, deadline=None)
@example(World([(100 * SECOND, 120 * SECOND)], [(100 * SECOND, 710 * SECOND)], "oldest first", 20 * SECOND, []))
@example(World([(100 * SECOND, 1331 * SECOND)], [(100 * SECOND, 1430 * SECOND)], "oldest first", 20 * SECOND, []))
@given(worlds())
def test_people_are_notified_once_of_what_lasts_and_of_nothing_that_is_over(world: World) -> None:
    rows = run(world)
    notified = pages(rows)
    for row in notified:
        assert world.is_cold(offset(row) - PROMPT - TRANSPORT, offset(row)), f"notified at {offset(row) / 1e6} of what was over"
    for begun, ended in world.cold:
        outage = world.outage(begun)
        kept = sum(world.outage(at) == outage for at, _ in world.changes()) if outage else 0
        known = (outage[1] + kept * world.between + WORD_TAKES if outage else begun) + 2 * TRANSPORT
        other = any(begun < first < known for first, _ in world.outages)
        mine = [row for row in notified if begun <= micros(row.opened_time) - START < ended]
        assert len(mine) <= 1, "notified twice"
        if ended > known and not other:
            latest = [row.state for row in rows if row.notified and offset(row) <= known][-1:]
            assert latest in (["opened"], ["updated"]), f"nobody knows of what lasts from {begun / 1e6} at {known / 1e6}"
    is_cold = world.is_cold(END, END)
    assert bool(rows and rows[-1].state != "resolved") == is_cold
    told = [row for row in rows if row.notified]
    assert not told or (told[-1].state != "resolved") == is_cold


@settings(max_examples=200, deadline=None)
@given(worlds())
def test_rows_are_sound_in_any_order(world: World) -> None:
    latest: dict[str, int] = {}
    spans: dict[str, tuple[int, int]] = {}
    for row in run(world):
        assert row.revision == latest.get(row.alert_id, -1) + 1
        latest[row.alert_id] = row.revision
        spans[row.alert_id] = micros(row.opened_time), micros(row.event_time)
    ordered = sorted(spans.values())
    assert all(ended <= begun for (_, ended), (begun, _) in pairwise(ordered)), "alerts of one subject overlap"


def test_a_gateway_whose_clock_is_five_minutes_behind_is_believed_when_it_stays_so() -> None:
    """It looks as if it worked off an outage for ever; but it is as far behind at each heartbeat."""
    behind = 300 * SECOND
    world = World([minutes(10, 100)], [], "oldest first", SECOND, [])
    rows = engine_twin.run(RULES, [(at + behind, reached) for at, reached in world.arrivals()], START + 2 * END)
    [page] = pages(rows)
    assert page.as_of - NOW <= timedelta(minutes=10 + 5 + 2, seconds=15)


def minutes(first: float, last: float) -> tuple[int, int]:
    return int(first * 60 * SECOND), int(last * 60 * SECOND)


def test_a_fault_that_begins_in_an_outage_of_25_minutes_and_lasts_is_told_when_the_gateway_is_back() -> None:
    for order in ("oldest first", "newest first", "shuffled"):
        rows = run(World([minutes(10, 300)], [minutes(5, 30)], order, SECOND, []))
        assert [(row.state, row.historical, row.notified) for row in rows] == [("opened", False, True), ("resolved", False, True)]
        assert rows[0].event_time == NOW + timedelta(minutes=10)
        assert rows[0].as_of - NOW <= timedelta(minutes=31, seconds=15)


def test_what_came_and_went_in_an_outage_is_history_in_any_order() -> None:
    for order in ("oldest first", "newest first", "shuffled"):
        rows = run(World([minutes(10, 12), minutes(20, 25)], [minutes(5, 30)], order, SECOND, [2 * SECOND]))
        assert [(row.state, row.historical, row.notified) for row in rows] == [("opened", True, False), ("resolved", True, False)] * 2
        assert [row.event_time for row in rows] == [NOW + timedelta(minutes=number) for number in (10, 12, 20, 25)]


def test_what_went_and_came_back_of_a_known_alert_is_no_news() -> None:
    rows = run(World([minutes(1, 10), minutes(12, 300)], [minutes(5, 30)], "oldest first", SECOND, []))
    assert [(row.state, row.notified) for row in rows] == [("opened", True), ("resolved", True)]
