"""Computes what the root zone of a field lacks on a day, what to give and how long it lasts, in mm. Pure, after FAO-56."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import NamedTuple

from pipeline.irrigation import water
from pipeline.irrigation.fields import Field
from pipeline.irrigation.hours import DAY
from pipeline.irrigation.probes import Verdict
from pipeline.irrigation.weather import LIGHT_RAIN, Rain
from pipeline.rollup.stats import HOUR

NEAR_DAYS = 1.0
"""Stress is near when it would begin before tomorrow at this time."""


class WaterState(NamedTuple):
    """Is what a root zone lacks, how much of the rain was counted that the moisture does not show, the need, and days until stress."""

    depletion: float
    rain_unseen: float
    need: float
    days: float | None


@dataclass(frozen=True, slots=True)
class RootZone:
    """Is the root zone of a field so many days after sowing; `reference` is the day's reference evapotranspiration, None if unknown."""

    field: Field
    age: int
    reference: float | None

    @property
    def depth(self) -> float:
        return self.field.crop.root_depth(self.age)

    @property
    def coefficient(self) -> float:
        return self.field.crop.coefficient(self.age)

    @property
    def transpired(self) -> float | None:
        """Returns what the crop drinks on the day."""
        return None if self.reference is None else self.coefficient * self.reference

    @property
    def available(self) -> float:
        return water.available(self.field.soil, self.depth)

    @property
    def readily_available(self) -> float:
        return water.readily_available(self.field.crop, self.available, self.transpired)

    def state(self, moisture: float, probes: Sequence[Verdict], rain: Rain) -> WaterState:
        """Returns the water of the root zone. Beyond RAW there is stress, whatever the weather: that needs no forecast.

        In the first hour that a field is heard, temperatures that are not there may be on their way, and RAW with them: no day is foreseen.
        """
        now = self._depletion(moisture)
        depletion = self._after_rain(now, probes, rain)
        days = self._forecast(depletion, first_hour=len({hour.start for probe in probes for hour in probe.sound}) < 2)
        near = depletion > self.readily_available or (days is not None and days < NEAR_DAYS)
        return WaterState(depletion, now - depletion, depletion if near else 0.0, days)

    def _forecast(self, depletion: float, *, first_hour: bool) -> float | None:
        if self.reference is None:
            return 0.0 if depletion > self.readily_available and not first_hour else None
        return water.days_until_stress(self.field.soil, self.field.crop, self.age, depletion, self.reference)

    def _depletion(self, moisture: float) -> float:
        return water.depletion(self.field.soil, self.depth, moisture)

    def _after_rain(self, now: float, probes: Sequence[Verdict], rain: Rain) -> float:
        """Returns what is lacking after a rain that the probes may not have seen yet.

        Rain takes a day to reach all of the root zone, and a probe sees it sooner or later than that. So for a day the root zone lacks no
        more than it did before the rain, less the rain, and what the crop has drunk since; a probe that shows more water is believed.
        """
        if rain.lately <= LIGHT_RAIN * (self.reference or 0.0):
            return now
        before = self._depletion(fmean(_before(probe, rain.since) for probe in probes))
        end = max(probe.sound[-1].start for probe in probes) + HOUR
        drunk = (self.transpired or 0.0) * max(end - rain.since, 0) / DAY
        return min(now, max(before - rain.lately, 0.0) + drunk)


def _before(probe: Verdict, since: int) -> float:
    """Returns what a probe said before a rain began; the first that it said if it said nothing before."""
    earlier = [hour.mean for hour in probe.sound if hour.start < since]
    return earlier[-1] if earlier else probe.sound[0].mean
