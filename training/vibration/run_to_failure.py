"""Makes examples of lives of machines: the model's inputs as the gateway computes them, and how far the fault had come. Deterministic
for its seed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from typing import Any

import numpy as np

from edge.models.features import advance
from edge.models.recipe import Recipe
from edge.spectrum import time_domain_features
from training.vibration.bearing import FAULTS, Fault, Floats
from training.vibration.machine import Frame, random_machine
from training.vibration.spectra import CHANNEL, CHANNELS, RECIPE

_BIRTH = datetime(2000, 1, 1, tzinfo=UTC)
_GROWTH = 4.0
_WINDOW_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Life:
    """A bearing is healthy until `onset`, then worse ever faster until `end`, both in hours. Without a fault it stays healthy."""

    onset: float
    end: float

    def severity(self, hours: float) -> float:
        """Returns 0 while healthy, 1 at the end."""
        share = min(max((hours - self.onset) / (self.end - self.onset), 0.0), 1.0)
        return float(np.expm1(_GROWTH * share) / np.expm1(_GROWTH))


def life(seed: int, hours: float) -> Life:
    """Draws a life that ends after `hours`; the fault begins somewhere between the middle and three quarters of it."""
    return Life(float(np.random.default_rng([seed, 2]).uniform(0.5, 0.75)) * hours, hours)


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan names a machine to observe: every `every_hours` for a minute, in which the sensor sends so many frames."""

    seed: int
    fault: Fault | None
    hours: float
    every_hours: float
    frames: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Observations:
    """Holds one row a window: the model's inputs before normalisation (rows, inputs), severity, hours, and the number of the plan it comes
    from; and the features a simpler rule would look at: mean RMS in m/s2, the same over what was usual, and mean kurtosis.
    """

    features: Floats
    severity: Floats
    hours: Floats
    machine: np.ndarray[Any, np.dtype[np.int64]]
    rms: Floats
    rise: Floats
    kurtosis: Floats


def make_plans(first_seed: int, count: int, frames: int, hours: float, *, failing: bool) -> list[Plan]:
    """Plans `count` machines with seeds from `first_seed`; failing ones take the kinds of faults in turn."""
    rng = np.random.default_rng([first_seed, count])
    faults = [FAULTS[number % len(FAULTS)] if failing else None for number in range(count)]
    return [Plan(first_seed + number, fault, hours, float(rng.uniform(4, 8)), frames) for number, fault in enumerate(faults)]


def simulate_lives(plans: Sequence[Plan], workers: int = 1) -> Iterator[Observations]:
    """Yields one `Observations` for each plan, in order, whatever the number of workers."""
    if workers < 2:
        yield from map(_simulate_life, range(len(plans)), plans)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield from pool.map(_simulate_life, range(len(plans)), plans, chunksize=2)


def joined(parts: Sequence[Observations]) -> Observations:
    """Joins all of them into one."""
    return Observations(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in Observations.__slots__})


def observe(number: int, windows: Sequence[tuple[float, float, Sequence[Frame]]]) -> Observations:
    """Returns what the gateway makes of windows (hours, severity, frames) in order; leaves out those for which it gives no inputs."""
    recipe = Recipe.parse(RECIPE, tuple(CHANNELS))
    memory, rows = None, []
    past: list[float] = []
    for hours, severity, frames in windows:
        means = _means(recipe, frames)
        memory, inputs = advance(recipe, memory, _BIRTH + timedelta(hours=hours), _WINDOW_SECONDS, means)
        rms = means[f"{CHANNEL}_rms"]
        if inputs is not None:
            rows.append((inputs, severity, hours, number, rms, rms / np.mean(past), means[f"{CHANNEL}_kurtosis"]))
        past.append(rms)
    columns = zip(Observations.__slots__, zip(*rows, strict=True), strict=True)
    return Observations(**{name: np.array(column) for name, column in columns})


def _simulate_life(number: int, plan: Plan) -> Observations:
    machine, rng = random_machine(plan.seed, plan.fault), np.random.default_rng([plan.seed, 3])
    course = life(plan.seed, plan.hours)
    windows = []
    for hours in np.arange(0, plan.hours, plan.every_hours).tolist():
        severity = course.severity(hours) if plan.fault else 0.0
        point = machine.operating_point(hours)
        windows.append((hours, severity, [machine.frame(severity, rng, point) for _ in range(plan.frames)]))
    return observe(number, windows)


def _means(recipe: Recipe, frames: Sequence[Frame]) -> dict[str, float]:
    """Summarises a window as the gateway does: the mean of each time-domain feature and band over the frames."""
    assert recipe.spectrum is not None
    features = [time_domain_features(CHANNEL, frame) for frame in frames]
    bands = recipe.spectrum.energies(np.array(frames)).mean(axis=0)
    means = {name: float(np.mean([of_frame[name] for of_frame in features])) for name in features[0]}
    return {**means, **dict(zip(recipe.spectrum.names, bands.tolist(), strict=True))}
