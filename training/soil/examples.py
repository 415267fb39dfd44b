"""Makes examples of seasons: the model's features as the gateway computes them, and the teacher's truth. Deterministic for its seed."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from typing import Any

import numpy as np

from edge.models.features import advance
from edge.models.recipe import Recipe
from training.soil.climates import CLIMATES
from training.soil.probe import ProbeRecord, record
from training.soil.recipe import CHANNELS, CONSTANTS, RECIPE
from training.soil.season import SOILS, Season, days_until, simulate_season

Floats = np.ndarray[Any, np.dtype[np.float64]]
_DAWN = datetime(2000, 1, 1, tzinfo=UTC)
_WINDOWS = (3600, 7200, 10_800, 14_400, 21_600, 28_800)
_SHARES = (0.1, 0.15, 0.15, 0.2, 0.2, 0.2)
_EXAMPLES_A_DAY = 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A plan names a season to simulate, and the probes that record it."""

    climate: str
    soil: str
    crop: str
    year: int
    water_percent: float
    irrigated: bool
    window_seconds: tuple[int, ...]
    """Each probe has its own."""
    seed: int


@dataclass(frozen=True, slots=True)
class Examples:
    """Holds `features` (rows, inputs) before normalisation, `days` (rows,) of truth, and the number of the plan each row comes from."""

    features: Floats
    days: Floats
    group: np.ndarray[Any, np.dtype[np.int64]]


def make_plans(climates: Sequence[str], count: int, seed: int) -> list[Plan]:
    """Plans `count` seasons, spread evenly over the climates; draws everything else at random."""
    rng = np.random.default_rng([seed, zlib.crc32(",".join(climates).encode())])
    return [_plan(climates[number % len(climates)], rng) for number in range(count)]


def examples(plans: Sequence[Plan], workers: int = 1, source: Mapping[str, Any] = RECIPE) -> Iterator[Examples]:
    """Yields one `Examples` for each plan, in order, whatever the number of workers. `source` is the recipe of the features."""
    sources = [source] * len(plans)
    if workers < 2:
        yield from map(_examples, range(len(plans)), plans, sources)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield from pool.map(_examples, range(len(plans)), plans, sources, chunksize=2)


def joined(parts: Sequence[Examples]) -> Examples:
    """Joins all of them into one."""
    return Examples(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("features", "days", "group")))


def _plan(climate: str, rng: np.random.Generator) -> Plan:
    place = CLIMATES[climate]
    return Plan(
        climate=climate,
        soil=str(rng.choice(SOILS)),
        crop=str(rng.choice(list(place.plantings))),
        year=int(rng.integers(place.first_year, place.last_year)),
        water_percent=float(rng.uniform(92, 100)),
        irrigated=bool(rng.random() < 0.7),
        window_seconds=tuple(map(int, rng.choice(_WINDOWS, 3, replace=False, p=_SHARES))),
        seed=int(rng.integers(2**31)),
    )


def _examples(number: int, plan: Plan, source: Mapping[str, Any]) -> Examples:
    season = simulate_season(
        plan.climate, plan.soil, plan.crop, plan.year, water_percent=plan.water_percent, irrigated=plan.irrigated, seed=plan.seed
    )
    return observed(number, plan, season, source)


def observed(number: int, plan: Plan, season: Season, source: Mapping[str, Any] = RECIPE) -> Examples:
    """Returns the examples of a season, recorded by several probes that err differently."""
    recipe = Recipe.parse(source, (*CHANNELS, *CONSTANTS))
    return joined([_recorded(number, plan, season, seconds, recipe) for seconds in plan.window_seconds])


def _recorded(number: int, plan: Plan, season: Season, window_seconds: int, recipe: Recipe) -> Examples:
    rng = np.random.default_rng([plan.seed, window_seconds])
    series = record(season, rng, window_seconds)
    days = truth(season, series)
    constants = {"field_capacity": season.field_capacity, "available": season.field_capacity - season.wilting_point}
    inputs = list(inputs_of(recipe, _windows(series, constants)))
    keep = [row for row in range(len(inputs)) if inputs[row] is not None and np.isfinite(days[row])]
    keep = [row for row in keep if rng.random() < _EXAMPLES_A_DAY * window_seconds / 86_400]
    features = np.array([inputs[row] for row in keep], dtype=float).reshape(len(keep), len(recipe.inputs))
    return Examples(features, days[keep], np.full(len(keep), number))


def truth(season: Season, series: ProbeRecord) -> Floats:
    """Counts the days until stress as each window ends; NaN where the day before or after is unlabelled."""
    days = days_until(series.moments, season.depletion / season.available, season.threshold)
    last = len(season.labelled) - 1
    before, after = np.floor(series.moments).astype(int) - 1, np.minimum(np.ceil(series.moments).astype(int) - 1, last)
    return np.where(season.labelled[before] & season.labelled[after], days, np.nan)


def inputs_of(recipe: Recipe, windows: Iterable[tuple[datetime, int, Mapping[str, float]]]) -> Iterator[tuple[float, ...] | None]:
    """Yields what the gateway computes of each window (start, seconds, values) of a probe, in order; None where it computes nothing."""
    memory = None
    for start, seconds, values in windows:
        memory, inputs = advance(recipe, memory, start, seconds, values)
        yield inputs


def _windows(series: ProbeRecord, constants: Mapping[str, float]) -> Iterator[tuple[datetime, int, Mapping[str, float]]]:
    for moment, moisture, temperature in zip(series.moments.tolist(), series.moisture.tolist(), series.temperature.tolist(), strict=True):
        start = _DAWN + timedelta(days=moment) - timedelta(seconds=series.window_seconds)
        yield start, series.window_seconds, {"moisture": moisture, "temperature": temperature, **constants}
