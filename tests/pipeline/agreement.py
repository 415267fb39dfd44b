"""How far irrigation need agrees with others, measured: pyfao56 on whole seasons, the climates' own reference evapotranspiration, aquacrop.

`python -m tests.pipeline.agreement` writes docs/models/irrigation.md; a test holds it to what is measured, and the figures to their bounds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.irrigation import crops, water
from pipeline.irrigation import probes as judging
from pipeline.irrigation.days import balance
from pipeline.irrigation.fields import Fields
from pipeline.irrigation.root_zone import NEAR_DAYS
from pipeline.irrigation.weather import LIGHT_RAIN, LOOK_BACK_DAYS, RAIN_HOURS, TYPICAL_RANGE, WHOLE_DAY_HOURS
from pipeline.rollup.stats import HOUR
from schemas.records import Irrigation, Site
from schemas.registry import Registry
from tests.pipeline.fao56_twin import LATITUDES, PLANS, Plan, Twin, device_hour, season
from training.build.page import render
from training.soil import season as teacher
from training.soil.climates import CLIMATES, weather
from training.soil.probe import record

_TEMPLATE = Path(__file__).with_name("irrigation.md.j2")
PAGE = Path(__file__).parents[2] / "docs" / "models" / "irrigation.md"

DEPLETION_MM = 0.001
GAUGE_MM = (0.2, 1.0)
READILY_MM = (4.0, 14.0)
FORECAST_DAYS = (1.8, 9.0)
SAME_WEATHER_DAYS = (1.2, 7.5)
SAME_DECISION = 0.92
"""What the test holds: mean and 95th percentile of errors over all seasons, and the least share of days with the same decision."""
_BOUNDS = {
    "depletion_mm": DEPLETION_MM,
    "gauge_mm": GAUGE_MM,
    "readily_mm": READILY_MM,
    "forecast_days": FORECAST_DAYS,
    "same_weather_days": SAME_WEATHER_DAYS,
    "same_decision": SAME_DECISION,
}

_DECISIVE_DAYS = 5.0
_TAUGHT = (
    ("champion", "SandyLoam", "Maize", 2012),
    ("champion", "SiltLoam", "Soybean", 2011),
    ("tunis", "Loam", "Maize", 1991),
    ("tunis", "SandyClayLoam", "Cotton", 1992),
)

Floats = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True, slots=True)
class Season:
    """Ours beside pyfao56's, an entry a day."""

    name: str
    depletion: Floats
    readily: Floats
    forecast: Floats
    same_weather: Floats
    """Errors, ours minus theirs; the last with our reference evapotranspiration in both."""
    gauge: Floats
    """Errors of the depletion with a rain gauge beside the probe."""
    wait: Floats
    theirs: Floats
    ours: Floats
    """Days until stress by pyfao56; whether each says to give water."""


def compared(plan: Plan) -> Season:
    pairs = list(season(plan))
    columns = np.array([_errors(*pair) for pair in pairs]).T
    return Season(plan.name, *columns)


def joined(seasons: Sequence[Season]) -> Season:
    names = [name for name in Season.__slots__ if name != "name"]
    return Season("**all**", *(np.concatenate([getattr(season, name) for season in seasons]) for name in names))


def mean_and_p95(errors: Floats) -> tuple[float, float]:
    return float(np.abs(errors).mean()), float(np.percentile(np.abs(errors), 95))


def same_decision(of: Season) -> float:
    return float((of.ours == of.theirs).mean())


def _errors(theirs: Twin, ours: Irrigation, with_rain: Irrigation) -> tuple[float, ...]:
    assert ours.depletion_mm is not None
    assert with_rain.depletion_mm is not None
    assert ours.balance_days is not None
    assert ours.need_mm is not None
    return (
        ours.depletion_mm - theirs.depletion,
        ours.readily_available_mm - theirs.readily,
        ours.balance_days - theirs.days_until_stress,
        ours.balance_days - theirs.days_with_our_reference,
        with_rain.depletion_mm - theirs.depletion,
        theirs.days_until_stress,
        theirs.need > 0,
        ours.need_mm > 0,
    )


def reference_errors(climate: str) -> tuple[Floats, Floats]:
    """The climate's own reference evapotranspiration of every day, and Hargreaves' minus it."""
    there = weather(climate)
    years = there.dates.astype("datetime64[Y]")
    numbers = (there.dates - years.astype("datetime64[D]")).astype(int) + 1
    suns = [water.radiation(LATITUDES[climate], int(number)) for number in numbers]
    ours = [water.hargreaves(low, max(low, high), sun) for low, high, sun in zip(there.low, there.high, suns, strict=True)]
    return there.evapotranspiration, np.array(ours) - there.evapotranspiration


@dataclass(frozen=True, slots=True)
class Taught:
    """Ours beside aquacrop's: errors of the depleted share by a perfect probe and by the lab's, and the available water at the end."""

    name: str
    perfect: Floats
    probed: Floats
    ours_mm: float
    theirs_mm: float


def taught(climate: str, soil: str, crop: str, year: int) -> Taught:
    simulated = teacher.simulate_season(climate, soil, crop, year, seed=year)
    begin = datetime.fromisoformat(str(simulated.dates[0])).replace(tzinfo=UTC)
    site = Site(
        site_id="field",
        name="Field",
        latitude=LATITUDES[climate],
        soil=soil,
        crop=crop,
        planted=begin,
        valid_from=datetime(1970, 1, 1, tzinfo=UTC),
    )
    fields, probe = Fields(Registry((site,), ())), record(simulated, np.random.default_rng(year))
    share = simulated.depletion[1:] / simulated.available[1:]
    last_hours = range(23, len(probe.moments), 24)
    perfect = [_row(fields, begin, day, value) for day, value in enumerate(simulated.moisture[1:], 1)]
    probed = [_row(fields, begin, day, probe.moisture[hour]) for day, hour in enumerate(last_hours, 1)]
    errors = (np.array([_share(row) for row in rows]) - share for rows in (perfect, probed))
    return Taught(f"{CLIMATES[climate].place}: {crop} on {soil}", *errors, perfect[-1].available_mm, float(simulated.available[-1]))


def _row(fields: Fields, begin: datetime, day: int, moisture: float) -> Irrigation:
    hour = int((begin + timedelta(days=day, hours=23)).timestamp())
    row = balance(fields, "field", device_hour(hour, "moisture", "m3/m3", moisture), hour - 23 * HOUR, begin)
    assert row is not None
    return row


def _share(row: Irrigation) -> float:
    assert row.depletion_mm is not None
    return row.depletion_mm / row.available_mm


@dataclass(frozen=True, slots=True)
class Reference:
    """A climate's own reference evapotranspiration in mm a day, and how far Hargreaves' is off."""

    place: str
    mean: float
    bias: float
    rmse: float


def reference(climate: str) -> Reference:
    own, errors = reference_errors(climate)
    return Reference(CLIMATES[climate].place, own.mean(), errors.mean(), float(np.sqrt((errors**2).mean())))


def page(seasons: Sequence[Season], taught_seasons: Sequence[Taught]) -> str:
    whole = joined(seasons)
    errors = {name: mean_and_p95(getattr(whole, name)) for name in ("depletion", "gauge", "readily", "forecast", "same_weather")}
    return render(
        _TEMPLATE,
        **errors,
        seasons=list(seasons),
        whole=whole,
        taught_seasons=taught_seasons,
        references=[reference(climate) for climate in CLIMATES],
        same_decision=same_decision,
        mean_size=_mean_size,
        missed=float((whole.theirs > whole.ours).mean()),
        idle=float((whole.ours > whole.theirs).mean()),
        decisive_days=_DECISIVE_DAYS,
        decisive_error=_mean_size(whole.forecast[whole.wait < _DECISIVE_DAYS]),
        bounds=_BOUNDS,
        pyfao56_version=version("pyfao56"),
        soils=crops.SOILS,
        crops=crops.CROPS,
        horizon_days=water.HORIZON_DAYS,
        near_days=NEAR_DAYS,
        whole_day_hours=WHOLE_DAY_HOURS,
        look_back_days=LOOK_BACK_DAYS,
        typical_range=TYPICAL_RANGE,
        rain_hours=RAIN_HOURS,
        light_rain=LIGHT_RAIN,
        judging=judging,
    )


def _mean_size(errors: Floats) -> float:
    return float(np.abs(errors).mean())


def measured() -> tuple[list[Season], list[Taught]]:
    """All that the page is about; about half a minute."""
    return [compared(plan) for plan in PLANS], [taught(*plan) for plan in _TAUGHT]


if __name__ == "__main__":
    PAGE.write_text(page(*measured()), encoding="utf-8")
