"""Whole seasons by pyfao56, an independent implementation of FAO-56, and what our formulas say of them day by day.

pyfao56 balances water with the dual crop coefficient, on the climates' own reference evapotranspiration, with parameters from its own
copy of FAO-56's tables. What a probe would tell of its root zone, and its temperatures, are all that we get.
"""

from __future__ import annotations

import copy
import math
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from pipeline.irrigation import crops, water
from pipeline.irrigation.days import balance
from pipeline.irrigation.fields import Fields
from pipeline.irrigation.hours import Days, hour_of, merge
from pipeline.irrigation.root_zone import NEAR_DAYS
from pipeline.rollup.stats import HOUR, DeviceHour, HourOfDevices, Key
from schemas.records import Irrigation, Site
from schemas.registry import Registry
from training.soil.climates import CLIMATES, weather

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import pandas as pd
    import pyfao56
    from pyfao56.tools import FAO56Tables

LATITUDES = {
    "champion": 40.4,
    "cordoba": -31.4,
    "hyderabad": 17.4,
    "brussels": 50.8,
    "north_yorks": 54.2,
    "tunis": 36.8,
    "suffolk": 52.2,
    "cambridge": 52.2,
    "lincolnshire": 53.2,
    "norfolk": 52.6,
    "northumberland": 55.2,
}
"""Of the places that the climates are named after, in degrees."""

ROWS = {
    "barley": (("barley oats wheat", "35-45 degrees latitude"), "barley", "barley", "barley"),
    "cotton": (("cotton", "egypt pakistan california"), "cotton", "cotton", "cotton"),
    "drybean": (("beans dry", "continental climates"), "beans dry pulses", "beans dry pulses", "beans dry pulses"),
    "maize": (("maize grain", "spain spring summer california"), *["maize field grain corn 18% moisture"] * 2, "maize field grain corn"),
    "potato": (("potato", "continental climate"), "potato", "potato", "potato"),
    "sorghum": (("sorghum", "usa pakistan mediterranean"), "sorghum grain", "sorghum grain", "sorghum grain"),
    "soybean": (("soybeans", "central usa"), "soybeans", "soybeans", "soybeans"),
    "sugarbeet": (("sugarbeet", "idaho usa"), "sugar beet", "sugar beet", "sugar beet"),
    "sunflower": (("sunflower", "mediterranean california"), "sunflower", "sunflower", "sunflower"),
    "tomato": (("tomato", "mediterranean"), "tomato", "tomato", "tomato"),
    "wheat": (("barley oats wheat", "35-45 degrees latitude"), "spring wheat", "spring wheat", "spring wheat"),
    "winterwheat": (("winter wheat", "mediterranean"), "winter wheat non-frozen soils", "winter wheat", "winter wheat"),
}
"""Crop -> its rows in pyfao56's copy of FAO-56's tables 11 (with region), 12, 17 and 22."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A season to run."""

    climate: str
    soil: str
    crop: str
    year: int
    irrigated: bool

    @property
    def name(self) -> str:
        habit = "irrigated" if self.irrigated else "rain only"
        return f"{CLIMATES[self.climate].place}: {self.crop} on {self.soil}, {self.year}, {habit}"


PLANS = (
    Plan("champion", "SandyLoam", "Maize", 2012, irrigated=True),
    Plan("champion", "SiltLoam", "Soybean", 2008, irrigated=False),
    Plan("champion", "ClayLoam", "SugarBeet", 1995, irrigated=True),
    Plan("champion", "Loam", "DryBean", 2002, irrigated=False),
    Plan("cordoba", "Loam", "Sunflower", 2005, irrigated=False),
    Plan("cordoba", "SiltClayLoam", "Cotton", 2010, irrigated=True),
    Plan("hyderabad", "Clay", "Sorghum", 2005, irrigated=False),
    Plan("hyderabad", "SandyClayLoam", "Tomato", 2004, irrigated=True),
    Plan("tunis", "SandyLoam", "Wheat", 1990, irrigated=False),
    Plan("tunis", "Loam", "Potato", 1985, irrigated=True),
    Plan("brussels", "SiltLoam", "Barley", 1990, irrigated=False),
    Plan("suffolk", "LoamySand", "SugarBeet", 2003, irrigated=True),
)


@dataclass(frozen=True, slots=True)
class Twin:
    """pyfao56 at the end of a day of its season, and what it does from there without water: with the weather that came, and with ours."""

    depletion: float
    available: float
    readily: float
    days_until_stress: float
    days_with_our_reference: float

    @property
    def need(self) -> float:
        near = self.depletion > self.readily or self.days_until_stress < NEAR_DAYS
        return self.depletion if near else 0.0


def season(plan: Plan) -> Iterator[tuple[Twin, Irrigation, Irrigation]]:
    """Day by day from planting to the end of the table's season: pyfao56, us, and us with a rain gauge."""
    parameters = _parameters(plan)
    start = datetime.fromisoformat(f"{plan.year}-{CLIMATES[plan.climate].plantings[plan.crop].replace('/', '-')}").replace(tzinfo=UTC)
    length = parameters.Lini + parameters.Ldev + parameters.Lmid + parameters.Lend
    table = _weather(plan.climate, start, length + water.HORIZON_DAYS)
    model = _Recorded(table.index[0], table.index[length - 1], parameters, _as_weather(table, plan), autoirr=_farmer(plan, table, length))
    model.run()
    fields = Fields(Registry((_site(plan, start),), ()))
    days, rained = Days(), Days()
    for number, state in enumerate(model.states):
        day = start + timedelta(days=number)
        for kept, rain in ((days, None), (rained, float(table.iloc[number]["Rain"]))):
            merge(kept, _hours(day, table.iloc[number], state, rain))
        row, with_rain = (balance(fields, "field", kept, int(day.timestamp()), start) for kept in (days, rained))
        assert row is not None
        assert with_rain is not None
        assert row.reference_mm is not None
        yield _twin(model, state, table, number, row.reference_mm), row, with_rain


class _Recorded(pyfao56.Model):
    """Keeps its state at the end of each day."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.states: list[Any] = []

    def _advance(self, io: Any) -> None:
        super()._advance(io)
        self.states.append(copy.copy(io))

    def dry_on(self, state: Any, references: Any, lows_and_highs: Any) -> float:
        """Days until depletion passes the readily available water without rain and irrigation, as water.days_until_stress counts them."""
        state, left = copy.copy(state), state.RAW - state.Dr
        if left < 0:
            return 0.0
        for day, (reference, (low, high)) in enumerate(zip(references, lows_and_highs, strict=True)):
            state.i, state.ETref, state.rain, state.idep, state.rhmin = state.i + 1, reference, 0.0, 0.0, _driest(low, high)
            super()._advance(state)
            before, left = left, state.RAW - state.Dr
            if left < 0:
                return day + before / (before - left)
        return float(water.HORIZON_DAYS)


def _twin(model: _Recorded, state: Any, table: pd.DataFrame, number: int, ours: float) -> Twin:
    ahead = table.iloc[number + 1 : number + 1 + water.HORIZON_DAYS]
    air = list(zip(ahead["Tmin"], ahead["Tmax"], strict=True))
    return Twin(
        depletion=float(state.Dr),
        available=float(state.TAW),
        readily=float(state.RAW),
        days_until_stress=model.dry_on(state, ahead["ETref"], air),
        days_with_our_reference=model.dry_on(state, [ours] * len(air), air),
    )


def _driest(low: float, high: float) -> float:
    """Lowest relative humidity in percent, as pyfao56 has it where none was measured: the dew point is the lowest temperature."""
    ea, emax = (0.6108 * math.exp(17.27 * t / (t + 237.3)) for t in (low, high))
    return ea / emax * 100


def _parameters(plan: Plan) -> Any:
    plain = "winterwheat" if plan.crop == "Wheat" else plan.crop.lower()
    tables = FAO56Tables()
    stages, single, dual, roots = rows(tables, plain)
    ground = crops.soil(plan.soil)
    assert ground is not None
    parameters = pyfao56.Parameters(thetaFC=ground.field_capacity, thetaWP=ground.wilting_point, theta0=ground.field_capacity, Zrini=0.2)
    parameters.setfrom11(stages)
    parameters.setfrom12(single)
    parameters.setfrom17(dual)
    parameters.Zrmax, parameters.pbase = (float(tables.table22.iloc[roots][name]) for name in ("Zrmax1", "pbase"))
    return parameters


def rows(tables: Any, plain: str) -> tuple[int, int, int, int]:
    """The numbers of a crop's rows in the four tables."""
    (name, region), single, dual, roots = ROWS[plain]
    stages = tables.table11
    months = {"maize grain": "apr", "sugarbeet": "apr", "winter wheat": "nov", "potato": "may"}
    region_stages = stages[(stages["Crop"] == name) & (stages["Region"] == region)]
    region_stages = region_stages[region_stages["Plant Date"].str.contains(months.get(name, ""))]
    others = [(table, wanted) for table, wanted in ((tables.table12, single), (tables.table17, dual), (tables.table22, roots))]
    numbers = [table.index[table["Crop"] == wanted] for table, wanted in others]
    assert [len(number) for number in (region_stages.index, *numbers)] == [1, 1, 1, 1], plain
    first, second, third, fourth = (int(number[0]) for number in (region_stages.index, *numbers))
    return first, second, third, fourth


def _weather(climate: str, start: datetime, days: int) -> pd.DataFrame:
    there = weather(climate)
    first = int(np.searchsorted(there.dates, np.datetime64(start.date())))
    span = slice(first, first + days)
    index = [f"{start + timedelta(days=number):%Y-%j}" for number in range(days)]
    columns = {"Tmin": there.low, "Tmax": there.high, "Rain": there.rain, "ETref": there.evapotranspiration}
    return pd.DataFrame({name: values[span] for name, values in columns.items()}, index=index)


def _as_weather(table: pd.DataFrame, plan: Plan) -> Any:
    records = pyfao56.Weather()
    records.z, records.lat, records.wndht = 0.0, LATITUDES[plan.climate], 2.0
    records.wdata = table.reindex(columns=records.cnames)
    return records


def _farmer(plan: Plan, table: pd.DataFrame, length: int) -> Any:
    if not plan.irrigated:
        return None
    irrigation = pyfao56.AutoIrrigate()
    irrigation.addset(table.index[0], table.index[length - 1], mad=0.5)
    return irrigation


def _site(plan: Plan, start: datetime) -> Site:
    always = datetime(1970, 1, 1, tzinfo=UTC)
    return Site(
        site_id="field",
        name=plan.name,
        latitude=LATITUDES[plan.climate],
        area_m2=10_000.0,
        soil=plan.soil,
        crop=plan.crop,
        planted=start,
        valid_from=always,
    )


def device_hour(start: int, channel: str, unit: str, value: float) -> Days:
    """An hour of one probe whose values spread a little, as those of a probe that is not frozen do."""
    return hour_of(HourOfDevices(Key("field", channel, unit, start), 0, (DeviceHour("probe", 1, value, value - 1e-6, value),)))


def _hours(day: datetime, air: Any, state: Any, rain: float | None) -> Days:
    """A day of hours: the root zone's moisture at its end, temperatures that reach the day's extremes, and rain in the first hour."""
    moisture = state.thetaFC - state.Dr / (1000 * state.Zr)
    low, high, days = air["Tmin"], air["Tmax"], Days()
    for hour in range(24):
        start = int(day.timestamp()) + hour * HOUR
        temperature = low + (high - low) * (1 - math.cos(math.tau * (hour - 5) / 24)) / 2
        merge(days, device_hour(start, "moisture", "m3/m3", moisture))
        merge(days, device_hour(start, "temperature", "degC", temperature))
    return days if rain is None else merge(days, device_hour(int(day.timestamp()), "rain", "mm", max(rain, 1e-6)))
