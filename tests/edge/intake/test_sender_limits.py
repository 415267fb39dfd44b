"""What one sender may cost is bounded, and its neighbours never notice."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import msgspec

from edge.intake.known_devices import KnownDevices
from edge.intake.sender_limits import SenderLimits
from edge.reading import Reading
from edge.settings.limits import LimitSettings
from edge.settings.sensors import Sensors
from schemas.envelope import micros
from tests.edge.gateways import START
from tests.edge.sections import Memory

SOIL = msgspec.convert({"name": "soil", "devices": ["d*"], "channels": {"moisture": "m3/m3"}}, Sensors)
HOUR = 3_600_000_000


def reading(device: str = "d1", seq: int = 1, **values: float) -> Reading:
    return Reading(device, micros(START), micros(START), "synced", None, seq, True, values or {"moisture": 0.3})


def known(memory: Memory | None = None, **limits: int) -> KnownDevices:
    return KnownDevices(LimitSettings(**limits), (memory or Memory()).section("devices"))


def limited(known_devices: KnownDevices | None = None, **limits: int) -> SenderLimits:
    return SenderLimits(LimitSettings(**limits), [SOIL], known_devices or known(**limits))


def run(devices: KnownDevices, hours: int, *heard: str) -> frozenset[str]:
    """Lets hours go by in which these devices are heard; returns who was forgotten."""
    gone, start = frozenset[str](), micros(START) + devices.hour * HOUR
    for hour in range(hours + 1):
        devices.advance(start + hour * HOUR)
        for device in heard:
            assert devices.is_heard(device, "soil")
        gone |= devices.forgotten()
    return gone


def test_channels_that_nobody_declared_are_taken_up_to_a_number_and_the_rest_set_aside() -> None:
    limits = limited(undeclared_channels=2)
    assert limits.admit(reading(a=1.0, moisture=0.3), SOIL) == (reading(a=1.0, moisture=0.3), None)
    taken, rejected = limits.admit(reading(seq=7, b=1.0, c=2.0, moisture=0.3), SOIL)
    assert taken == reading(seq=7, b=1.0, moisture=0.3)
    assert rejected
    assert (rejected.reason, rejected.device_id, rejected.seq) == ("too_many_channels", "d1", 7)
    assert json.loads(rejected.body) == {"time": START.timestamp(), "seq": 7, "values": {"c": 2.0}}
    assert limits.admit(reading(d=1.0), SOIL).reading is None
    assert limits.admit(reading("d2", d=1.0), SOIL).rejected is None


def test_channels_are_counted_anew_each_hour() -> None:
    devices = known()
    limits = limited(devices, undeclared_channels=1)
    devices.advance(micros(START))
    assert limits.admit(reading(a=1.0), SOIL).reading
    assert limits.admit(reading(b=1.0), SOIL).reading is None
    devices.advance(micros(START + timedelta(hours=1)))
    assert limits.admit(reading(b=1.0), SOIL).reading


def test_readings_of_a_device_are_taken_up_to_a_number() -> None:
    limits = limited(readings=2)
    results: list[Any] = [limits.admit(reading(seq=seq), SOIL) for seq in (1, 2, 3)]
    assert [result.rejected and result.rejected.reason for result in results] == [None, None, "too_many_readings"]
    assert limits.admit(reading("d2"), SOIL).reading


def test_a_class_has_a_number_of_devices_and_those_that_are_known_go_on() -> None:
    limits = limited(devices=2)
    assert limits.admit(reading("d1"), SOIL).reading
    assert limits.admit(reading("d2"), SOIL).reading
    refused = limits.admit(reading("d3"), SOIL)
    assert refused.rejected
    assert refused.rejected.reason == "too_many_devices"
    assert limits.admit(reading("d1", seq=2), SOIL).reading


def test_a_name_that_comes_once_is_forgotten_after_a_day_and_makes_room() -> None:
    devices = known(devices=2)
    run(devices, 0, "d1", "once")
    assert not devices.is_heard("d3", "soil")
    assert run(devices, 26, "d1") == {"once"}
    assert devices.is_heard("d3", "soil")


def test_a_device_known_for_long_is_forgotten_after_as_long_a_silence_across_restarts() -> None:
    memory = Memory()
    devices = known(memory, forget_days=5)
    assert run(devices, 60, "d1", "d2") == frozenset()
    memory.commit([devices.section])
    again = known(memory, forget_days=5)
    again.adopt([("d1", "soil"), ("d2", "soil")])
    assert run(again, 40, "d2") == frozenset()
    assert run(again, 40, "d2") == {"d1"}
    assert "d1" not in again.section.items()


def test_a_clock_that_jumps_makes_nobody_forgotten() -> None:
    devices = known()
    run(devices, 1, "d1")
    for years in (10, -20, 10):
        devices.advance(micros(START + timedelta(days=366 * years)))
        assert devices.forgotten() == frozenset()
