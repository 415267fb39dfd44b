from datetime import UTC, datetime

import numpy as np
import pytest

from edge.frame import decode
from edge.spectrum import time_domain_features
from lab.world import field, machine
from lab.world.machine import Wear
from schemas.registry import Registry

T = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def machines() -> dict[str, machine.Machine]:
    return {found.device_id: found for found in machine.machines(Registry.load(field.REGISTRY))}


def _rms(subject: machine.Machine, day: float) -> float:
    frames = [decode(subject.message(T, seq, "b1", day)).samples for seq in range(1, 9)]
    return float(np.mean([time_domain_features(machine.CHANNEL, frame)["acceleration_rms"] for frame in frames]))


def test_a_message_is_a_frame_with_the_header_of_a_reading(machines: dict[str, machine.Machine]) -> None:
    frame = decode(machines["machine-fan"].message(T, 7, "b1", 60.0))
    assert (frame.header.seq, frame.header.boot, frame.header.time, frame.header.channel) == (7, "b1", T.timestamp(), "acceleration")
    assert frame.samples.shape == (2048,)


def test_a_frame_is_the_same_every_time_and_no_two_are_equal(machines: dict[str, machine.Machine]) -> None:
    fan = machines["machine-fan"]
    assert fan.message(T, 7, "b1", 60.0) == fan.message(T, 7, "b1", 60.0)
    assert fan.message(T, 7, "b1", 60.0) != fan.message(T, 8, "b1", 60.0)


def test_the_warehouse_is_to_show_every_time_domain_feature_of_a_frame(machines: dict[str, machine.Machine]) -> None:
    frame = decode(machines["machine-fan"].message(T, 7, "b1", 60.0))
    assert tuple(time_domain_features(machine.CHANNEL, frame.samples)) == machine.CHANNELS


def test_a_worn_bearing_is_louder_and_a_healthy_one_is_not(machines: dict[str, machine.Machine]) -> None:
    rise = {name: _rms(subject, 128) / _rms(subject, 40) for name, subject in machines.items()}
    assert 0.6 < rise.pop("machine-fan") < 1.6
    assert min(rise.values()) > 1.7, rise


def test_wear_begins_at_its_onset_grows_and_ends_at_one() -> None:
    wear = Wear("inner", 50, 60)
    severities = [wear.severity(day / 10) for day in range(400, 700)]
    assert severities[0] == wear.severity(50) == 0
    assert wear.severity(60) == severities[-1] == pytest.approx(1)
    assert severities == sorted(severities)


def test_no_bearing_fails_on_a_day_that_history_and_a_minute_do_not_reach(machines: dict[str, machine.Machine]) -> None:
    assert all(subject.wear.severity(130) == 1 for subject in machines.values() if subject.wear)
    assert machines["machine-pump"].wear.severity(121) == 0, "the pump begins to fail in act two"
