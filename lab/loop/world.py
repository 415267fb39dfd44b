"""Draws the fields of the loop: in climates that the shipped soil model was not trained on, each with two probes, through several seasons.

Two gateways hear each field, a probe each, as they do where a field is large: so a release that runs on one of them is compared on the
same field and day. Deterministic for its seed. Every season begins on a day of its own of the calendar, whatever its real date was, and
ends with the crop or after DAYS. A probe measures every six hours and keeps its offset and gain from season to season.
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
"""Every other farm is where it is dry: the package has one such climate that the shipped model did not see, and five wet ones."""
DAYS = 120
PROBE_SECONDS = 21_600
BOOT = "loop"
_SIDES = "ab"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Names a field: on which farm it is, in which climate, what grows there, and the years of its seasons."""

    number: int
    farm: int
    climate: str
    soil: str
    crop: str
    irrigated: bool
    years: tuple[int, ...]

    @property
    def site_id(self) -> str:
        return f"{self.climate}-{self.number:02}"

    @property
    def probes(self) -> tuple[Probe, ...]:
        return tuple(Probe(self, side) for side in _SIDES)


@dataclass(frozen=True, slots=True)
class Probe:
    """Stands on one side of a field."""

    plan: Plan
    side: str

    @property
    def device_id(self) -> str:
        return f"soil-{self.plan.number:02}{self.side}"

    @property
    def gateway_id(self) -> str:
        """Returns which of the farm's gateways hears it."""
        return f"loop-{self.plan.farm:02}{self.side}"


def plans(farms: int, fields_each: int, seasons: int, seed: int) -> list[Plan]:
    """Draws the fields; those of a farm have one climate."""
    rng = np.random.default_rng(seed)
    return [_plan(number, number // fields_each, seasons, rng) for number in range(farms * fields_each)]


def _plan(number: int, farm: int, seasons: int, rng: np.random.Generator) -> Plan:
    climate = CLIMATES[PLACES[farm % len(PLACES)]]
    return Plan(
        number=number + 1,
        farm=farm + 1,
        climate=climate.name,
        soil=str(rng.choice(SOILS)),
        crop=str(rng.choice(list(climate.plantings))),
        irrigated=bool(rng.random() < 0.7),
        years=tuple(map(int, rng.choice(np.arange(climate.first_year, climate.last_year), seasons, replace=False))),
    )


@dataclass(frozen=True)
class ProbeSeason:
    """Holds a season of a field, and what a probe makes of it; `begin` is the season's first midnight on the calendar."""

    probe: Probe
    begin: datetime
    season: Season
    first_seq: int

    @cached_property
    def record(self) -> ProbeRecord:
        return record(self.season, np.random.default_rng([self.probe.plan.number, _SIDES.index(self.probe.side)]), PROBE_SECONDS)

    @cached_property
    def readings(self) -> int:
        """Counts the readings of the season."""
        return int(np.searchsorted(self.record.moments, DAYS, side="right"))

    @property
    def windows(self) -> list[tuple[str, datetime]]:
        """Returns device and start of the window of each reading, which ends with the moment of the record."""
        starts = (self.begin + timedelta(days=float(moment), hours=-1) for moment in self.record.moments[: self.readings])
        return [(self.probe.device_id, start) for start in starts]

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


def simulate(plan: Plan, number: int) -> Season:
    """Simulates season `number` of a field."""
    return simulate_season(
        plan.climate, plan.soil, plan.crop, plan.years[number], irrigated=plan.irrigated, seed=100 * plan.number + number
    )


def write_registry(directory: Path, planned: Sequence[Plan], begins: Sequence[datetime]) -> Path:
    """Writes sites with a row for each of their seasons, devices, and the gateways' keys."""
    file = directory / "registry.toml"
    file.write_text("".join(_entries(plan, begins) for plan in planned))
    LabKeys(directory).register(file, sorted({probe.gateway_id for plan in planned for probe in plan.probes}))
    return file


def _entries(plan: Plan, begins: Sequence[datetime]) -> str:
    ends = [f"valid_to = {begin:%Y-%m-%d}\n" for begin in begins[1:]] + [""]
    sites = (
        f'[[sites]]\nsite_id = "{plan.site_id}"\nname = "{plan.site_id}"\nsoil = "{plan.soil}"\ncrop = "{plan.crop}"\n'
        f"planted = {begin:%Y-%m-%d}\nvalid_from = {begin:%Y-%m-%d}\n{end}\n"
        for begin, end in zip(begins, ends, strict=True)
    )
    devices = (f'[[devices]]\ndevice_id = "{probe.device_id}"\nkind = "soil"\nsite_id = "{plan.site_id}"\n\n' for probe in plan.probes)
    return "".join((*sites, *devices))
