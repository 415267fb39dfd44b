"""The stage of a drill: what probes say, who hears it, what a power cut and an outage leave, and how moments are gathered."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from lab.drills.gateway import Pace, SimulatedGateway
from lab.drills.probes import Probe
from lab.drills.scenery import NORTH, REGISTRY, SOUTH
from lab.drills.signed import authenticator
from lab.drills.stage import Incident, Stage, messages, moments
from lab.world.named_keys import registered
from pipeline.elements import ReceivedMessage
from schemas.registry import FixedRegistry, Registry
from schemas.signature import ATTRIBUTE

BEGIN = datetime(2026, 5, 4, tzinfo=UTC)
STEP = timedelta(minutes=10)
HOUR = timedelta(hours=1)


def staged(directory: Path) -> tuple[Stage, SimulatedGateway]:
    gateway = SimulatedGateway("north", directory, Pace(window_seconds=600, batch_seconds=600, heartbeat_seconds=600))
    probe = Probe(device_id="soil-01", gateways=("north",), values=lambda _: {"moisture": 0.2, "temperature": 9.0}, interval=STEP)
    stage = Stage({"north": gateway}, [probe])
    stage.power_on(BEGIN)
    return stage, gateway


def test_every_reading_of_a_quiet_hour_is_acknowledged_and_arrives(tmp_path: Path) -> None:
    stage, _ = staged(tmp_path)
    arrivals = stage.play(BEGIN, BEGIN + HOUR, STEP) + stage.finish(BEGIN + HOUR)
    rows = [int(each.attributes["row_count"]) for each in messages(arrivals) if each.attributes["kind"] == "summaries"]
    assert len(stage.log.readings) == len(stage.log.acknowledged) == 6
    assert sum(rows) == 12  # two channels


def test_nothing_is_acknowledged_without_power(tmp_path: Path) -> None:
    stage, gateway = staged(tmp_path)
    stage.play(BEGIN, BEGIN + HOUR, STEP, [Incident(BEGIN + timedelta(minutes=30), gateway.power_off)])
    assert (len(stage.log.readings), len(stage.log.acknowledged)) == (6, 3)


def test_nothing_arrives_without_an_uplink_and_all_of_it_afterwards(tmp_path: Path) -> None:
    stage, gateway = staged(tmp_path)
    gateway.uplink = False
    away = stage.play(BEGIN, BEGIN + HOUR, STEP)
    gateway.uplink = True
    back = stage.finish(BEGIN + HOUR)
    assert not messages(away)
    assert {each.attributes["seq"] for each in messages(back)} == {str(number) for number in range(1, len(messages(back)) + 1)}


def test_a_probe_speaks_with_the_same_numbers_however_time_is_cut() -> None:
    probe = Probe(device_id="soil-01", gateways=(), values=lambda _: {"moisture": 0.2})
    whole = [raw.key for raw in probe.between(BEGIN, BEGIN + HOUR)]
    parts = [raw.key for minutes in range(60) for raw in probe.between(BEGIN + minutes * HOUR / 60, BEGIN + (minutes + 1) * HOUR / 60)]
    assert whole == parts
    assert len(set(whole)) == 60


def test_moments_are_gathered_but_for_close_times_and_exact_ones() -> None:
    exact, close = BEGIN + timedelta(minutes=5), BEGIN + timedelta(minutes=50)
    found = moments([(BEGIN + number * STEP, []) for number in range(7)], timedelta(minutes=30), [(close, close)], [exact])
    assert [(now - BEGIN).total_seconds() / 60 for now, _ in found] == [0, 5, 30, 40, 50, 52.5, 60]


def test_moments_keep_everything_that_arrives() -> None:
    sent = [ReceivedMessage({}, bytes([number]), BEGIN) for number in range(7)]
    found = moments([(BEGIN + number * STEP, [sent[number]]) for number in range(7)], timedelta(minutes=30))
    assert messages(found) == sent


def test_the_drills_registry_has_the_keys_by_which_gateways_sign_and_nothing_unsigned_comes_in(tmp_path: Path) -> None:
    registry = Registry.load(REGISTRY)
    assert [(key.gateway_id, key.public_key) for key in registry.gateways] == [
        (key.gateway_id, key.public_key) for key in registered((NORTH, SOUTH))
    ]
    gateway = SimulatedGateway(NORTH, tmp_path, Pace())
    gateway.power_on(BEGIN)
    gateway.flush(BEGIN)
    [heartbeat] = gateway.upload(BEGIN)
    gateway.power_off()
    check = authenticator(FixedRegistry(registry)).current()
    unsigned = replace(heartbeat, attributes={name: value for name, value in heartbeat.attributes.items() if name != ATTRIBUTE})
    assert [check.fault(each) for each in (heartbeat, unsigned)] == [None, "unsigned"]
