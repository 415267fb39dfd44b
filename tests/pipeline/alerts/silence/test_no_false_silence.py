"""No false silence, and every true one once and in time, whatever power, broker, uplink, clock and pipeline do."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.records import Device
from schemas.rules.silence import SilenceRule
from tests.pipeline.alerts.silence import judge
from tests.pipeline.alerts.silence.engine import Engine
from tests.pipeline.alerts.silence.world import SPAN, Sensor, Site, World, play
from tests.pipeline.bodies import ALWAYS, REGISTRY

NAMES = ("d1", "d2", "d3", "d4")
FARM = replace(REGISTRY, devices=tuple(Device(name, "soil", "north", ALWAYS, None) for name in NAMES))
RULE = SilenceRule(name="silent", silent_seconds=judge.SILENCE * 60, never_heard_seconds=366 * 86_400)

QUIET = 12
"""For so many minutes nothing happens: every gateway is heard, and hears its sensors. Of others nothing can be known."""

spans = st.lists(
    st.builds(lambda first, length: (first, min(first + length, SPAN)), st.integers(QUIET, SPAN), st.integers(1, 80)), max_size=2
)
several = spans.map(tuple)
jumps = st.lists(st.tuples(st.integers(QUIET, SPAN), st.sampled_from([-(10**6), -60, 60, 500, 0])), max_size=2).map(tuple)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    names = st.sampled_from([frozenset({"gw1"}), frozenset({"gw2"}), frozenset({"gw1", "gw2"})])
    sensors = [Sensor(name, draw(st.integers(1, 4)), draw(st.integers(0, 3)), draw(names), draw(several), draw(several)) for name in NAMES]
    says = draw(st.booleans())
    rates = st.sampled_from([1000, 1000, 6, 4])
    faults = [draw(st.tuples(several, several, several, jumps, st.just(says), st.booleans(), rates)) for _ in range(2)]
    sites = [Site(name, *fault) for name, fault in zip(("gw1", "gw2"), faults, strict=True)]
    return World(tuple(sensors), tuple(sites), draw(several), draw(st.integers(0, 1000)))


def played(world: World) -> tuple[Engine, set[tuple[str, int]]]:
    engine = Engine((RULE,), FARM)
    return engine, play(world, engine)


@given(worlds())
@settings(max_examples=25, deadline=None)
def test_nobody_is_called_silent_who_spoke_and_whoever_is_silent_is_told_in_time_and_once(world: World) -> None:
    engine, behind = played(world)
    assert judge.false_silences(world, engine) == []
    assert judge.untold(world, engine, behind) == []
    for sensor in world.sensors:
        assert judge.times_said(engine, sensor) <= len(sensor.dead)
    if max((minute for _, minute in behind), default=0) < judge.END - judge.BOUND:
        assert judge.opened(engine) == set(), "all speak again at the end"
