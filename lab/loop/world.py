"""Draws the fields of the loop: in climates that the shipped soil model was not trained on, each with a probe, through several seasons.

Deterministic for its seed. Every season begins on a day of its own of the calendar, whatever its real date was, and ends with the crop or
after DAYS. A probe measures every three hours and keeps its offset and gain from season to season.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path

import numpy as np

from lab.acts.signatures import LabKeys
from lab.world import field
from training.build.dense import Floats
from training.soil.climates import CLIMATES, CONFIRMATION_CLIMATES, HELD_OUT_CLIMATES
from training.soil.examples import truth
from training.soil.probe import ProbeRecord, record
from training.soil.season import SOILS, Season, simulate_season

_DRY, *_WET = (*HELD_OUT_CLIMATES, *CONFIRMATION_CLIMATES)
PLACES = tuple(place for wet in _WET for place in (_DRY, wet))
"""Every other gateway is where it is dry: the package has one such climate that the shipped model did not see, and five wet ones."""
DAYS = 120
PROBE_SECONDS = 10_800
BOOT = "loop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Names a field: where it is, what grows there, who hears its probe, and the years of its seasons."""

    number: int
    gateway_id: str
    climate: str
    soil: str
    crop: str
    irrigated: bool
    years: tuple[int, ...]

    @property
    def device_id(self) -> str:
        return f"soil-{self.number:02}"

    @property
    def site_id(self) -> str:
        return f"{self.climate}-{self.number:02}"


def plans(gateways: int, fields_each: int, seasons: int, seed: int) -> list[Plan]:
    """Draws the fields; each gateway hears fields of one climate."""
    rng = np.random.default_rng(seed)
    return [
        _plan(number, f"loop-{number // fields_each + 1:02}", number // fields_each, seasons, rng)
        for number in range(gateways * fields_each)
    ]


def _plan(number: int, gateway_id: str, place: int, seasons: int, rng: np.random.Generator) -> Plan:
    climate = CLIMATES[PLACES[place % len(PLACES)]]
    return Plan(
        number=number + 1,
        gateway_id=gateway_id,
        climate=climate.name,
        soil=str(rng.choice(SOILS)),
        crop=str(rng.choice(list(climate.plantings))),
        irrigated=bool(rng.random() < 0.7),
        years=tuple(map(int, rng.choice(np.arange(climate.first_year, climate.last_year), seasons, replace=False))),
    )


@dataclass(frozen=True)
class FieldSeason:
    """Holds a season of a field, and what its probe makes of it; `begin` is the season's first midnight on the calendar."""

    plan: Plan
    begin: datetime
    season: Season
    first_seq: int

    @cached_property
    def record(self) -> ProbeRecord:
        return record(self.season, np.random.default_rng(self.plan.number), PROBE_SECONDS)

    @cached_property
    def readings(self) -> int:
        """Counts the readings of the season."""
        return int(np.searchsorted(self.record.moments, DAYS, side="right"))

    @property
    def windows(self) -> list[tuple[str, datetime]]:
        """Returns device and start of the window of each reading, which ends with the moment of the record."""
        starts = (self.begin + timedelta(days=float(moment), hours=-1) for moment in self.record.moments[: self.readings])
        return [(self.plan.device_id, start) for start in starts]

    @cached_property
    def truth(self) -> Floats:
        """Returns the days until stress as each window ends: what the crop-water model knows, NaN where water came before."""
        return truth(self.season, self.record)[: self.readings]

    @property
    def watered(self) -> list[tuple[datetime, float]]:
        """Returns when the farmer watered, and how much, in mm."""
        days = np.flatnonzero(self.season.irrigation[:DAYS] > 0)
        return [(self.begin + timedelta(days=int(day)), float(self.season.irrigation[day])) for day in days]

    def messages(self, first_day: int, last_day: int) -> list[tuple[datetime, int, bytes]]:
        """Returns time, number and payload of the readings from one day of the season to another."""
        found = []
        for position, moment in enumerate(self.record.moments[: self.readings]):
            if first_day < moment <= last_day:
                time, seq = self.begin + timedelta(days=float(moment), minutes=-30), self.first_seq + position
                values = {
                    "moisture": round(float(self.record.moisture[position]), 4),
                    "temperature": round(float(self.record.temperature[position]), 2),
                }
                found.append((time, seq, field.reading(time, seq, BOOT, values)))
        return found


def simulate(plan: Plan, number: int, begin: datetime, first_seq: int) -> FieldSeason:
    """Simulates season `number` of a field; its first reading has the number `first_seq`."""
    season = simulate_season(
        plan.climate, plan.soil, plan.crop, plan.years[number], irrigated=plan.irrigated, seed=100 * plan.number + number
    )
    return FieldSeason(plan, begin, season, first_seq)


def write_registry(directory: Path, planned: Sequence[Plan]) -> Path:
    """Writes sites, devices and the gateways' keys."""
    file = directory / "registry.toml"
    file.write_text("".join(map(_entries, planned)))
    LabKeys(directory).register(file, sorted({plan.gateway_id for plan in planned}))
    return file


def _entries(plan: Plan) -> str:
    return (
        f'[[sites]]\nsite_id = "{plan.site_id}"\nname = "{plan.site_id}"\nsoil = "{plan.soil}"\ncrop = "{plan.crop}"\n\n'
        f'[[devices]]\ndevice_id = "{plan.device_id}"\nkind = "soil"\nsite_id = "{plan.site_id}"\n\n'
    )
