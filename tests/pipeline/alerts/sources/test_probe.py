"""A device of a field that cannot be believed raises an alert, one for all its channels, and is told sound again."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from pipeline.alerts.sources.probe import ProbeSource
from pipeline.alerts.state_machine import StateMachine
from schemas.envelope import micros
from schemas.records import Alert, Irrigation, Probe
from schemas.rules.probe import ProbeRule
from tests.pipeline.bodies import NOW, REGISTRY

RULE = ProbeRule(name="probe-faulty", devices=("soil-*",), cooldown_seconds=60)


def probe(device_id: str = "soil-1", fault: str | None = None, time: datetime = NOW, channel: str = "moisture") -> Probe:
    return Probe(device_id=device_id, channel=channel, value=0.0, unit="m3/m3", time=time, fault=fault)


def day(*probes: Probe, revision: int = 0) -> Irrigation:
    zeros: dict[str, Any] = dict.fromkeys(Irrigation.__slots__, 0.0)
    return Irrigation(**zeros | {"site_id": "north", "moisture_time": NOW, "revision": revision, "probes": probes})


def alerts(*days: Irrigation) -> list[Alert]:
    source = ProbeSource([RULE], REGISTRY)
    observations = [one for row in days for one in source.observe(row, micros(NOW + timedelta(days=9)))]
    return StateMachine(RULE, source.condition(RULE)).run(observations, NOW + timedelta(days=30))


def test_a_fault_of_one_channel_opens_and_all_channels_sound_resolve() -> None:
    later = NOW + timedelta(hours=5)
    rows = alerts(
        day(probe(fault="moisture of 0 m3/m3 is less than Loam ever has"), probe(channel="temperature")),
        day(probe(time=later), probe(channel="temperature", time=later)),
    )
    assert [(row.state, row.subject, row.device_id, row.site_id) for row in rows] == [
        ("opened", "soil-1", "soil-1", "north"),
        ("resolved", "soil-1", "soil-1", "north"),
    ]
    assert "north, soil-1: moisture of 0 m3/m3 is less than Loam ever has" in rows[0].message
    assert "can be believed again" in rows[1].message


def test_a_sound_device_and_one_that_no_rule_watches_raise_nothing() -> None:
    assert alerts(day(probe(), probe("other-1", fault="frozen"))) == []


def test_a_device_of_a_wrong_clock_is_not_observed() -> None:
    source = ProbeSource([RULE], REGISTRY)
    assert list(source.observe(day(probe(fault="frozen", time=NOW + timedelta(hours=2))), micros(NOW))) == []
