"""Simulates a growing season by the teacher, the crop-water model aquacrop, on real weather: what the field did and when stress came.

`simulate_season(climate, soil, crop, year, ...)` returns a `Season` of daily arrays; `CLIMATES`, `TRAINING_CLIMATES` and
`HELD_OUT_CLIMATES` say where. The lab simulates its fields with this function too. Deterministic for its arguments.

The truth is what came: days from the end of a day until root-zone depletion passes half of the available water (FAO-56's p = 0.5,
since a probe cannot know the crop), with the weather that really followed and no irrigation in between. So it can be checked against
a field's later history, and unforeseeable rain is part of the model's uncertainty. The simulated farmer makes it exact: in some
cycles he waters only after stress began; those are labelled. In the others he waters earlier, so that history does not betray the
threshold; those are never labelled, not even the days that rain would have made safe, because choosing days by their outcome
would bias the truth.
"""

# ruff: noqa: SLF001 - the teacher is driven a day at a time, and its state has no public name

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from training.soil.climates import CLIMATES, HELD_OUT_CLIMATES, TRAINING_CLIMATES, weather
from training.soil.metrics import HORIZON_DAYS

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # aquacrop's own source has invalid escapes
    import pandas as pd
    from aquacrop.core import AquaCropModel
    from aquacrop.entities.crop import Crop
    from aquacrop.entities.inititalWaterContent import InitialWaterContent
    from aquacrop.entities.irrigationManagement import IrrigationManagement
    from aquacrop.entities.soil import Soil
    from aquacrop.solution.root_zone_water import root_zone_water

__all__ = ["CLIMATES", "HELD_OUT_CLIMATES", "SOILS", "TRAINING_CLIMATES", "Season", "simulate_season"]

SOILS = ("Clay", "ClayLoam", "Loam", "LoamySand", "Sand", "SandyClayLoam", "SandyLoam", "SiltLoam", "SiltClayLoam")
STRESS_SHARE = 0.5
_MAX_DAYS = 300

Floats = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Season:
    """A season lasts from planting to maturity, and has one entry a day.

    `moisture`, `depletion`, `available` and `days_until_stress` are as the day ends (24:00 UTC of `dates`).
    """

    climate: str
    soil: str
    crop: str
    field_capacity: float
    wilting_point: float
    """Volumetric moisture of the soil, m3/m3."""
    threshold: float
    """Stress is depletion of more than this share of the available water."""
    dates: np.ndarray[Any, np.dtype[np.datetime64]]
    moisture: Floats
    """Moisture is volumetric, the mean over the root zone, m3/m3."""
    low: Floats
    high: Floats
    """`low` and `high` are the lowest and highest air temperature, deg C."""
    rain: Floats
    irrigation: Floats
    """Rain and irrigation are in mm a day."""
    depletion: Floats
    available: Floats
    """Depletion of the root zone and its total available water are in mm."""
    labelled: np.ndarray[Any, np.dtype[np.bool_]]
    """The farmer waits for stress in this day's cycle."""
    days_until_stress: Floats
    """It is 0 in stress, 14 if none comes within 14 days, NaN where unknown."""

    @property
    def temperature(self) -> Floats:
        """Returns the mean air temperature of each day, deg C."""
        return (self.low + self.high) / 2


def simulate_season(  # noqa: PLR0913 - where, on what, what, when, and how
    climate: str, soil: str, crop: str, year: int, *, water_percent: float = 100.0, irrigated: bool = True, seed: int = 0
) -> Season:
    """Simulates a season planted in `year` that begins with `water_percent` of the available water. `seed` moves the farmer's habits."""
    model = _model(climate, soil, crop, year, water_percent)
    farmer = _Farmer(STRESS_SHARE, np.random.default_rng(seed), irrigated=irrigated)
    depletion, available, moisture, irrigation, labelled = map(np.array, zip(*_days(model, farmer), strict=True))
    truth = days_until(np.arange(1.0, len(depletion) + 1), depletion / available, STRESS_SHARE)
    daily = weather(climate)
    first = int(np.searchsorted(daily.dates, _planted(climate, crop, year)))
    span = slice(first, first + len(depletion))
    return Season(
        climate=climate,
        soil=soil,
        crop=crop,
        field_capacity=float(model._param_struct.Soil.Profile.th_fc[0]),
        wilting_point=float(model._param_struct.Soil.Profile.th_wp[0]),
        threshold=STRESS_SHARE,
        dates=daily.dates[span],
        moisture=moisture,
        low=daily.low[span],
        high=daily.high[span],
        rain=daily.rain[span],
        irrigation=irrigation,
        depletion=depletion,
        available=available,
        labelled=labelled,
        days_until_stress=np.where(labelled, truth, np.nan),
    )


def days_until(moments: Floats, depleted: Floats, threshold: float) -> Floats:
    """Counts the days from each moment (in days, where 1.0 is the end of the first day) until the share of depleted water, straight
    between the ends of days, passes the threshold: 0 above it, 14 if not within 14 days, NaN if the season ends before that is known.
    """
    ends = np.arange(1.0, len(depleted) + 1)
    over = depleted > threshold
    crossing = np.full(len(depleted), np.inf)
    for day in range(1, len(depleted)):
        if over[day] and not over[day - 1]:
            crossing[day] = ends[day - 1] + (threshold - depleted[day - 1]) / (depleted[day] - depleted[day - 1])
    now = np.interp(moments, ends, depleted)
    nexts = np.minimum.accumulate(crossing[::-1])[::-1]
    ahead = nexts[np.minimum(np.searchsorted(ends, moments), len(ends) - 1)]
    wait = np.clip(np.where(now > threshold, 0.0, ahead - moments), 0.0, HORIZON_DAYS)
    return np.where((now <= threshold) & ~np.isfinite(ahead) & (moments + HORIZON_DAYS > ends[-1]), np.nan, wait)


class _Farmer:
    """Waters once depletion has passed his trigger, some days late; draws a new trigger at each watering, blind to the weather."""

    def __init__(self, threshold: float, rng: np.random.Generator, *, irrigated: bool) -> None:
        self._threshold, self._irrigated, self._rng = threshold, irrigated, rng
        self._new_cycle()

    def _new_cycle(self) -> None:
        self.waits = not self._irrigated or self._rng.random() < 0.7
        self._trigger = self._threshold * (1.0 if self.waits else self._rng.uniform(0.4, 0.95))
        self._delay = int(self._rng.integers(0, 6)) if self.waits else 0
        self._refill = self._rng.uniform(0.6, 1.1)

    def millimetres(self, depletion: float, available: float) -> float:
        if not self._irrigated or depletion <= self._trigger * available:
            return 0.0
        if self._delay > 0:
            self._delay -= 1
            return 0.0
        depth = self._refill * depletion
        self._new_cycle()
        return depth


def _model(climate: str, soil: str, crop: str, year: int, water_percent: float) -> Any:
    start = _planted(climate, crop, year)
    daily = weather(climate)
    within = (daily.dates >= start) & (daily.dates <= _end(start))
    if not within.any() or daily.dates[within][0] != start:
        raise ValueError(f"{climate} has no weather for a planting on {start}")
    columns = {"MinTemp": daily.low, "MaxTemp": daily.high, "Precipitation": daily.rain, "ReferenceET": daily.evapotranspiration}
    table = pd.DataFrame({**{name: values[within] for name, values in columns.items()}, "Date": pd.to_datetime(daily.dates[within])})
    dates = [str(day).replace("-", "/") for day in (start, daily.dates[within][-1])]
    model = AquaCropModel(
        *dates,
        table,
        Soil(soil),
        Crop(crop, planting_date=CLIMATES[climate].plantings[crop]),
        InitialWaterContent(wc_type="Pct", value=[water_percent]),
        IrrigationManagement(5, MaxIrr=200.0),
    )
    model._initialize()
    return model


def _planted(climate: str, crop: str, year: int) -> np.datetime64:
    return np.datetime64(f"{year}-{CLIMATES[climate].plantings[crop].replace('/', '-')}")


def _end(start: np.datetime64) -> np.datetime64:
    """Returns the last day to simulate; the teacher cannot read 29 February there."""
    last = start + _MAX_DAYS
    return last - 1 if str(last).endswith("02-29") else last


def _days(model: Any, farmer: _Farmer) -> Iterator[tuple[float, float, float, float, bool]]:
    """Yields depletion, available water and moisture as each day ends, what was watered on it, and whether the farmer waited for stress."""
    depletion, available, _ = _root_zone(model)
    while not model._clock_struct.model_is_finished:
        labelled = farmer.waits
        water = farmer.millimetres(depletion, available)
        model._param_struct.IrrMngt.depth = water
        model.run_model(1, initialize_model=False)
        depletion, available, moisture = _root_zone(model)
        yield depletion, available, moisture, water, labelled and farmer.waits


def _root_zone(model: Any) -> tuple[float, float, float]:
    """Returns depletion and available water, mm, and what a profile probe that follows the roots reports: the mean moisture over them."""
    crop, state = model._param_struct.Seasonal_Crop_List[0], model._init_cond
    soil = model._param_struct.Soil
    water = root_zone_water(soil.Profile, float(state.z_root), state.th, soil.z_top, float(crop.Zmin), crop.Aer)
    return float(water[2]), float(water[4]), float(water[5])
