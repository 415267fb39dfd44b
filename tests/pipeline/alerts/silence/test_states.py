"""What is remembered of gateways and devices is read from the bytes of every release, and takes no more room than it may."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from pipeline.alerts.gateway_report import GatewayReport, Heartbeat
from pipeline.alerts.silence.device import DEVICE, DeviceState, Witness
from pipeline.alerts.silence.gateway import GATEWAY, GatewayState
from pipeline.alerts.silence.hearing import FORGET, MOST_DEVICES, Ear, Hearing, Incident, LastHeard, OpenIncident
from pipeline.alerts.silence.listening import Listening
from pipeline.alerts.silence.registry import REGISTRY
from pipeline.alerts.silence.watch import Watch
from pipeline.alerts.sources.silence import SilenceSource
from schemas.envelope import micros
from schemas.records import Device
from schemas.rules.silence import SilenceRule
from tests.pipeline import bodies
from tests.pipeline.alerts.silence.engine import Engine
from tests.pipeline.golden_bytes import golden

GATEWAY_STATE = GatewayState(
    Listening(epoch=7, seq=12, heartbeat=60, started=-5, dropped=2, lag=-(2**40), since=30, deaf_since=55, late_lag=8, late_from=9),
    Hearing(
        {"d1": LastHeard(2**50, "south", 40, {"silent": True, "long": False}), "d2": LastHeard(1, "north")},
        {"silent": OpenIncident(Incident.DEVICES, "south"), "long": OpenIncident(Incident.BROKER, None)},
    ),
    {"gone"},
    arrival=70,
    silence_counts_from=80,
    verdict=(50, 60),
    judges_from=90,
)
DEVICE_STATE = DeviceState(
    "south", {"gw1": Witness(5, {"silent": (9, True)}, 11), "gw2": Witness(4)}, 0, {"silent": 5}, observed=9, wake=30
)


def test_the_state_of_a_gateway_is_read_from_the_bytes_of_every_release() -> None:
    assert GATEWAY.unpack(golden("gateway_liveness", 1)) == GATEWAY_STATE
    assert GATEWAY.pack(GATEWAY_STATE) == golden("gateway_liveness", 1)


def test_the_state_of_a_device_is_read_from_the_bytes_of_every_release() -> None:
    assert DEVICE.unpack(golden("device_liveness", 1)) == DEVICE_STATE
    assert DEVICE.pack(DEVICE_STATE) == golden("device_liveness", 1)


def test_the_registry_that_is_known_is_read_from_the_bytes_of_every_release() -> None:
    assert REGISTRY.unpack(golden("registry_liveness", 1)) == "0123456789abcdef"
    assert REGISTRY.pack("0123456789abcdef") == golden("registry_liveness", 1)


def heartbeat(number: int, devices: dict[str, tuple[int, str]], at: int) -> GatewayReport:
    beat = Heartbeat(time=at, started=micros(bodies.NOW), broker_online=True)
    return GatewayReport(gateway_id="gw1", received=at, epoch=7, seq=number, devices=devices, heartbeat=beat)


def test_names_that_are_heard_once_are_forgotten_by_their_gateway_after_a_week() -> None:
    names = [f"once-{number}" for number in range(50_000)]
    registry = replace(bodies.REGISTRY, devices=tuple(Device(name, "soil", "north", bodies.ALWAYS, None) for name in names))
    memory = SilenceSource((SilenceRule(name="silent", silent_seconds=600),), registry).memory("gateways")
    start, minute, day = micros(bodies.NOW), 60_000_000, FORGET // 7
    heard = dict.fromkeys(names, (start, "north"))
    packed = memory.on_report(None, "gw1", heartbeat(1, heard, start), start).state
    sizes = []
    # After a pause the first heartbeat is judged two minutes later: the second judges.
    for number, at in enumerate((start + 20 * minute, start + 7 * day + minute), 1):
        packed = memory.on_report(packed, "gw1", heartbeat(2 * number, {"once-1": (at, "north")}, at), at).state
        packed = memory.on_report(packed, "gw1", heartbeat(2 * number + 1, {}, at + 2 * minute), at + 2 * minute).state
        assert packed is not None
        sizes.append(len(packed))
    assert sizes[0] < 60 * len(names)
    assert sizes[1] < 500


def test_more_devices_than_a_gateway_knows_are_no_more_remembered() -> None:
    """The ones heard last stay."""
    state = Hearing({f"d{number}": LastHeard(number, "north") for number in range(MOST_DEVICES + 10)})
    list(Ear(Watch((), bodies.REGISTRY), "gw1", state, Listening()).judge(5, 5))
    assert (len(state.devices), min(last.at for last in state.devices.values())) == (MOST_DEVICES, 10)


def test_a_device_that_was_let_go_leaves_no_state() -> None:
    rule = SilenceRule(name="silent", silent_seconds=600, never_heard_seconds=600)
    engine = Engine((rule,), bodies.REGISTRY)
    for number in range(30):
        engine.now = micros(bodies.NOW + timedelta(minutes=number))
        engine.wait(bodies.NOW + timedelta(minutes=number))
        engine.report("gateways", "/registry", None)
        if number == 20:
            engine.use((rule,), replace(bodies.REGISTRY, devices=()))
    engine.wait(bodies.NOW + timedelta(hours=1))
    assert [key for key in engine.states if key[0] == "devices"] == []
