"""Whole seasons of the teacher, and what the water balance and the soil model say of them day by day, from the same probe.

Truth is when the depletion of the teacher's root zone passes the share that the field's crop may use (FAO-56's p of Table 22), with the
weather that came and no irrigation in between. The climates are those that the model never saw.

`python -m tests.pipeline.model_twin` prints the figures of docs/adr/0025-advice-rests-on-the-balance.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from edge.models import tflite
from edge.models.bundle import Bundle
from edge.models.features import advance
from edge.models.model import Model
from edge.models.recipe import Recipe
from pipeline.irrigation import crops
from pipeline.irrigation.days import balance
from pipeline.irrigation.fields import Fields
from pipeline.irrigation.hours import DAY, Days, merge
from pipeline.rollup.stats import HOUR
from schemas.records import Irrigation, Site
from schemas.registry import Registry
from tests.pipeline.fao56_twin import LATITUDES, device_hour
from training.soil.climates import CLIMATES, CONFIRMATION_CLIMATES, HELD_OUT_CLIMATES
from training.soil.metrics import HORIZON_DAYS
from training.soil.probe import ProbeRecord, record
from training.soil.recipe import CHANNELS, RECIPE
from training.soil.season import SOILS, Season, simulate_season

Floats = np.ndarray[Any, np.dtype[np.float64]]
SOON_DAYS = 2.0
DECISIVE_DAYS = 5.0
HALF = 0.5
"""The share of the available water at which the model foresees stress."""
MODEL = Path(__file__).parents[2] / "models" / "soil"


@dataclass(frozen=True, slots=True)
class Plan:
    """A season to run."""

    climate: str
    soil: str
    crop: str
    year: int
    irrigated: bool


@dataclass(frozen=True, slots=True)
class Compared:
    """A season, an entry a day: the truth (NaN where unknown), and what balance and model say, in days until stress."""

    plan: Plan
    truth: Floats
    balance: Floats
    model: Floats


@dataclass(frozen=True, slots=True)
class Figures:
    """How good one of them is: days compared, shares of decisions that are right and of the stress that is found, errors in days."""

    days: int
    right: float
    found: float
    error: float
    decisive_error: float
    late: float


def plans() -> list[Plan]:
    """144 seasons: every texture in six climates, every crop that grows there, half of them watered."""
    rng, wanted = np.random.default_rng(7), []
    for climate in HELD_OUT_CLIMATES + CONFIRMATION_CLIMATES:
        place, grown = CLIMATES[climate], list(CLIMATES[climate].plantings)
        for number in range(54 if climate == "tunis" else 18):
            year = int(rng.integers(place.first_year, place.last_year))
            crop = grown[(number // len(SOILS) + number) % len(grown)]
            wanted.append(Plan(climate, SOILS[number % len(SOILS)], crop, year, bool(number % 2)))
    return wanted


def share(plan: Plan) -> float:
    """The share of the available water that the crop may use."""
    crop = crops.crop(plan.crop, datetime(2000, 11, 1, tzinfo=UTC), LATITUDES[plan.climate])
    assert crop is not None
    return crop.depletion_fraction


def figures(seasons: Sequence[Compared], name: str) -> Figures:
    """The figures of `balance` or `model` over the days on which truth and both are known."""
    truth, balance, model = (np.concatenate([getattr(season, each) for season in seasons]) for each in ("truth", "balance", "model"))
    known = ~np.isnan(truth + balance + model)
    truth, ours = truth[known], {"balance": balance, "model": model}[name][known]
    soon, errors = truth < SOON_DAYS, ours - truth
    return Figures(
        days=len(truth),
        right=float((soon == (ours < SOON_DAYS)).mean()),
        found=float((ours[soon] < SOON_DAYS).mean()),
        error=float(np.abs(errors).mean()),
        decisive_error=float(np.abs(errors[truth < DECISIVE_DAYS]).mean()),
        late=float(errors.mean()),
    )


def compared(plan: Plan) -> Compared:
    season = simulate_season(plan.climate, plan.soil, plan.crop, plan.year, irrigated=plan.irrigated, seed=plan.year)
    probe = record(season, np.random.default_rng(plan.year))
    ends = np.arange(23, len(probe.moments), 24)
    rows, scores = _rows(plan, season, probe), _scores(probe)[ends]
    truth = _truth(season, share(plan))[1 : len(ends) + 1]
    ours = np.array([np.nan if row is None or row.balance_days is None else row.balance_days for row in rows])
    return Compared(plan, truth, ours, scores)


def _truth(season: Season, share: float) -> Floats:
    """Days from the end of each day until depletion passes the share: at most the horizon, NaN if water or the season's end comes first."""
    depleted = season.depletion / season.available
    days = np.full(len(depleted), np.nan)
    for day in range(len(depleted)):
        if depleted[day] > share:
            days[day] = 0.0
            continue
        for later in range(day + 1, min(day + HORIZON_DAYS, len(depleted) - 1) + 1):
            if season.irrigation[later] > 0:
                break
            if depleted[later] > share:
                days[day] = later - 1 - day + (share - depleted[later - 1]) / (depleted[later] - depleted[later - 1])
                break
        else:
            days[day] = HORIZON_DAYS if day + HORIZON_DAYS < len(depleted) else np.nan
    return days


def _begin(season: Season) -> datetime:
    return datetime.fromisoformat(str(season.dates[0])).replace(tzinfo=UTC)


def _rows(plan: Plan, season: Season, probe: ProbeRecord) -> list[Irrigation | None]:
    begin = _begin(season)
    site = Site(
        site_id="field",
        name="Field",
        latitude=LATITUDES[plan.climate],
        soil=plan.soil,
        crop=plan.crop,
        planted=begin,
        valid_from=datetime(1970, 1, 1, tzinfo=UTC),
    )
    fields, days, rows = Fields(Registry((site,), ())), Days(), []
    for day in range(1, len(probe.moments) // 24 + 1):
        start = int((begin + timedelta(days=day)).timestamp())
        for hour in range(24):
            number = (day - 1) * 24 + hour
            merge(days, device_hour(start + hour * HOUR, "moisture", "m3/m3", float(probe.moisture[number])))
            merge(days, device_hour(start + hour * HOUR, "temperature", "degC", float(probe.temperature[number])))
        rows.append(balance(fields, "field", days, start, begin))
        days.pop(start - 5 * DAY, None)
    return rows


def _scores(probe: ProbeRecord) -> Floats:
    """What the model as shipped says of each hour; NaN while it is young."""
    recipe, memory, inputs = Recipe.parse(RECIPE, tuple(CHANNELS)), None, []
    for moment, moisture, temperature in zip(probe.moments.tolist(), probe.moisture.tolist(), probe.temperature.tolist(), strict=True):
        start = datetime(2000, 1, 1, tzinfo=UTC) + timedelta(days=moment) - timedelta(hours=1)
        memory, row = advance(recipe, memory, start, HOUR, {"moisture": moisture, "temperature": temperature})
        inputs.append(row)
    known = [number for number, row in enumerate(inputs) if row is not None]
    scores = np.full(len(inputs), np.nan)
    scores[known] = np.asarray(Model(Bundle.load(MODEL).runnable(), tflite.load()).run(np.array([inputs[number] for number in known])))[
        :, 1
    ]
    return scores


def main() -> None:
    seasons = [compared(plan) for plan in plans()]
    groups: dict[str, list[Compared]] = {"all": seasons, "half or more": [], "less": []}
    for season in seasons:
        groups["half or more" if share(season.plan) >= HALF else "less"].append(season)
    for attribute in ("soil", "crop", "climate"):
        for season in seasons:
            groups.setdefault(f"{attribute} {getattr(season.plan, attribute)}", []).append(season)
    for group, some in groups.items():
        for name in ("balance", "model"):
            print(f"{group:24} {name:8} {figures(some, name)}")


if __name__ == "__main__":
    main()
