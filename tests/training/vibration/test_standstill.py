"""A machine that is switched off is no failing machine: nothing is said of it, and what is usual for it stays what it is while it runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import fmean

import numpy as np
import pytest

from edge.models import tflite
from edge.models.bundle import Bundle
from edge.models.features import advance
from edge.models.model import Model
from edge.models.recipe import Recipe
from training.vibration.machine import RATE_HZ, SAMPLES, Frame, Machine, random_machine
from training.vibration.spectra import CHANNEL, CHANNELS, RECIPE

RNG = np.random.default_rng(5)
START = datetime(2026, 5, 1, tzinfo=UTC)
SECONDS = np.arange(SAMPLES) / RATE_HZ
RUNNING = Recipe.parse(RECIPE, tuple(CHANNELS))


def running(machine: Machine, hour: float) -> Frame:
    return machine.frame(0.0, RNG, machine.operating_point(hour))


def switched_off(machine: Machine, hour: float) -> Frame:
    return (machine.sensor_noise * RNG.standard_normal(SAMPLES)).astype(np.float32)


def hum_only(machine: Machine, hour: float) -> Frame:
    hum = sum(size * np.sin(2 * np.pi * hertz * SECONDS) for hertz, size in ((50, 0.5), (100, 0.2), (150, 0.2)))
    return (hum + machine.sensor_noise * RNG.standard_normal(SAMPLES)).astype(np.float32)


def dead(machine: Machine, hour: float) -> Frame:
    return np.zeros(SAMPLES, np.float32)


def means(frames: list[Frame]) -> dict[str, float]:
    spectrum = RUNNING.spectrum
    assert spectrum
    bands = np.mean([spectrum.energies(frame) for frame in frames], axis=0)
    kurtosis = fmean(float(((frame - frame.mean()) ** 4).mean() / max(frame.var() ** 2, 1e-30)) for frame in frames)
    return {**dict(zip(spectrum.names, bands.tolist(), strict=True)), f"{CHANNEL}_kurtosis": kurtosis}


def inputs(recipe: Recipe, machine: Machine, course: list[Callable[[Machine, float], Frame]]) -> Iterator[tuple[float, ...] | None]:
    """A window an hour, after four days in which the machine ran."""
    memory = None
    for hour, draw in enumerate([running] * 96 + course):
        window = means([draw(machine, hour) for _ in range(4)])
        memory, found = advance(recipe, memory, START + timedelta(hours=hour), 3600, window)
        if hour >= 96:
            yield found


@pytest.mark.parametrize("idle", [switched_off, hum_only, dead])
def test_nothing_is_said_of_a_machine_that_stands_still_nor_is_it_remembered(
    idle: Callable[[Machine, float], Frame],
) -> None:
    for seed in range(5):
        machine = random_machine(seed, None)
        found = list(inputs(RUNNING, machine, [idle] * 24 + [running] * 4))
        assert found[:24] == [None] * 24
        assert all(values and max(map(abs, values[:-1])) < 12 for values in found[24:]), "it has not forgotten what is usual"


def test_without_the_rule_a_machine_that_is_switched_off_would_be_called_failing() -> None:
    bundle = Bundle.load(Path(__file__).parents[3] / "models" / "vibration")
    careless = replace(RUNNING, standstill=None)
    [values] = inputs(careless, random_machine(1, None), [switched_off])
    assert values
    [[_, score, _]] = Model(bundle.runnable(), tflite.load()).run(np.array([values], np.float32)).tolist()
    assert bundle.label(score) == "failing"


def test_a_fault_is_no_standstill() -> None:
    machine = random_machine(3, "outer")
    worn = [lambda machine, hour: machine.frame(0.9, RNG, machine.operating_point(hour))] * 6
    assert None not in list(inputs(RUNNING, machine, worn))
