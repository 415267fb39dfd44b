"""Bearings and machines: frequencies as published, strikes where they belong, and sound that grows with wear."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.vibration.bearing import BEARINGS, FAULTS, Bearing, Fault, OperatingPoint, Slip, load_share, strikes
from training.vibration.machine import RATE_HZ, SAMPLES, Sound, random_machine
from training.vibration.run_to_failure import Life, life

STEADY = OperatingPoint(25.0, 1.0)


@pytest.mark.parametrize(
    ("bearing", "outer", "inner", "element", "cage"),
    [
        (BEARINGS[0], 3.5848, 5.4152, 4.7135, 0.39828),
        (BEARINGS[1], 3.0530, 4.9469, 3.9874, 0.3817),
        (BEARINGS[2], 3.245, 4.755, 5.1128, 0.4056),
    ],
)
def test_characteristic_frequencies_are_those_that_the_rigs_publish(
    bearing: Bearing, outer: float, inner: float, element: float, cage: float
) -> None:
    found = [bearing.strikes(fault) for fault in FAULTS]
    assert found == pytest.approx([outer, inner, element], rel=1e-3)
    assert bearing.cage == pytest.approx(cage, rel=1e-3)


@given(st.integers(6, 20), st.floats(0.05, 0.4), st.floats(0, 30))
def test_each_element_passes_both_races_once_in_a_turn_between_them(elements: int, ratio: float, contact: float) -> None:
    bearing = Bearing("any", elements, ratio, 1.0, contact)
    assert bearing.strikes("outer") + bearing.strikes("inner") == pytest.approx(elements)
    assert bearing.strikes("outer") < bearing.strikes("inner")


@pytest.mark.parametrize("fault", FAULTS)
def test_strikes_come_at_the_rate_of_the_fault_within_their_slip(fault: Fault) -> None:
    slip = Slip(0.008, 0.015)
    moments, force = strikes(BEARINGS[0], fault, STEADY, slip, span=(0.0, 60.0), rng=np.random.default_rng(1))
    intervals = np.diff(moments)
    assert 1 / intervals.mean() == pytest.approx(BEARINGS[0].strikes(fault) * 25 * 1.008, rel=0.002)
    assert intervals.std() / intervals.mean() == pytest.approx(0.015, rel=0.1)
    assert len(force) == len(moments)
    assert force.min() > 0


def test_an_outer_race_is_struck_alike_and_an_inner_race_once_a_turn_hardest() -> None:
    rng = np.random.default_rng(2)
    _, outer = strikes(BEARINGS[0], "outer", STEADY, Slip(0, 0.01), span=(0.0, 20.0), rng=rng)
    moments, inner = strikes(BEARINGS[0], "inner", STEADY, Slip(0, 0.01), span=(0.0, 20.0), rng=rng)
    assert outer.std() / outer.mean() < 0.2
    turning = np.abs(np.exp(2j * np.pi * 25 * moments) @ inner) / inner.sum()
    still = np.abs(np.exp(2j * np.pi * 31 * moments) @ inner) / inner.sum()
    assert turning > 5 * still


def test_the_load_zone_is_fullest_in_its_middle_and_empty_opposite() -> None:
    share = load_share(np.linspace(-np.pi, np.pi, 101), 0.5)
    assert share.argmax() == 50
    assert share[50] == 1.0
    assert share[[0, -1]] == pytest.approx(0.0)


def envelope_peak(frame: Any, low: float, high: float) -> float:
    """Where the spectrum of the envelope above 2 kHz is largest between two frequencies, in Hz."""
    lines = np.fft.fft(frame.astype(float))
    hz = np.fft.fftfreq(len(frame), 1 / RATE_HZ)
    analytic = np.fft.ifft(np.where(hz > 1500, 2 * lines, 0))
    envelope = np.abs(analytic) ** 2
    spectrum = np.abs(np.fft.rfft(envelope - envelope.mean()))
    inside = (np.arange(len(spectrum)) * RATE_HZ / len(frame) > low) & (np.arange(len(spectrum)) * RATE_HZ / len(frame) < high)
    return float(np.flatnonzero(inside)[spectrum[inside].argmax()] * RATE_HZ / len(frame))


@pytest.mark.parametrize("seed", range(4))
def test_the_envelope_of_a_damaged_outer_race_beats_at_its_frequency(seed: int) -> None:
    machine = random_machine(seed, "outer")
    point = OperatingPoint(machine.rated_hz, 0.8)
    frame = machine.frame(0.7, np.random.default_rng(seed), point, samples=4 * RATE_HZ)
    expected = machine.bearing.strikes("outer") * point.speed_hz * (1 + machine.slip.mean)
    assert envelope_peak(frame, 0.7 * expected, 1.3 * expected) == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize("fault", FAULTS)
def test_wear_makes_a_machine_louder_and_its_frames_spikier(fault: Fault) -> None:
    machine, rng = random_machine(3, fault), np.random.default_rng(3)
    frames = [[machine.frame(severity, rng, machine.operating_point(0)) for _ in range(15)] for severity in (0.0, 0.5, 1.0)]
    loud = [float(np.median([frame.std() for frame in few])) for few in frames]
    spiky = [float(np.median([kurtosis(frame) for frame in few])) for few in frames]
    assert loud[0] < loud[1] < loud[2]
    assert spiky[0] < min(spiky[1:])


def test_a_blow_rings_at_the_modes_and_dies_away() -> None:
    machine = random_machine(5)
    quiet = replace(machine, sound=Sound((), 0.0, 0.5, 0.2, ()), sensor_noise=0.0, slip=Slip(0, 0.01), fault="outer")
    struck = quiet.frame(0.2, np.random.default_rng(1), OperatingPoint(0.5, 1.0), samples=4 * RATE_HZ)
    assert np.abs(struck).max() > 0
    assert np.count_nonzero(struck) < 0.3 * len(struck)


def test_unbalance_is_a_tone_at_the_speed_of_the_shaft() -> None:
    machine = random_machine(6)
    frame = machine.frame(0.0, np.random.default_rng(1), OperatingPoint(30.0, 0.5), samples=RATE_HZ)
    spectrum = np.abs(np.fft.rfft(frame))
    assert spectrum[30] > 3 * np.median(spectrum[10:60])


def test_the_same_seeds_give_the_same_frame_and_others_another() -> None:
    def drawn_frame(seed: int, chance: int) -> Any:
        return random_machine(seed).frame(0.5, np.random.default_rng(chance))

    assert np.array_equal(drawn_frame(1, 1), drawn_frame(1, 1))
    assert not np.array_equal(drawn_frame(1, 1), drawn_frame(1, 2))
    assert not np.array_equal(drawn_frame(1, 1), drawn_frame(2, 1))
    assert drawn_frame(1, 1).dtype == np.float32
    assert drawn_frame(1, 1).shape == (SAMPLES,)


def test_a_machine_is_the_same_whatever_fault_it_will_have() -> None:
    drawn = [replace(random_machine(4, fault), fault="outer") for fault in (None, *FAULTS)]
    assert all(machine == drawn[0] for machine in drawn)


def test_speed_and_load_wander_slowly_and_reproducibly() -> None:
    machine = random_machine(8)
    hours = np.arange(0, 500, 0.1)
    speeds, loads = zip(*((point.speed_hz, point.load) for point in map(machine.operating_point, hours.tolist())), strict=True)
    assert np.abs(np.diff(speeds)).max() < 0.02 * machine.rated_hz
    assert np.abs(np.array(speeds) / machine.rated_hz - 1).max() <= machine.drift[0]
    assert 0.1 <= min(loads) < max(loads) <= 1.0
    assert machine.operating_point(17.0) == machine.operating_point(17.0)


@given(st.integers(0, 2**31), st.floats(10, 10_000))
def test_a_life_begins_healthy_and_only_gets_worse_until_it_ends(seed: int, hours: float) -> None:
    course = life(seed, hours)
    severities = [course.severity(moment) for moment in np.linspace(0, hours, 50).tolist()]
    assert severities[0] == 0.0
    assert severities[-1] == pytest.approx(1.0)
    assert severities == sorted(severities)


def test_a_fault_is_slow_at_first_and_fast_at_last() -> None:
    course = Life(0.0, 100.0)
    assert course.severity(50.0) < 0.15


def kurtosis(frame: Any) -> float:
    values = frame.astype(float) - frame.mean()
    return float((values**4).mean() / (values**2).mean() ** 2)
