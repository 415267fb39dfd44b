"""Reads a field's weather from its own devices: reference evapotranspiration from temperatures, and rain."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from statistics import fmean
from typing import NamedTuple

from pipeline.irrigation import water
from pipeline.irrigation.fields import Field
from pipeline.irrigation.hours import DAY, day_of
from pipeline.irrigation.probes import Verdict
from pipeline.rollup.stats import HOUR
from schemas.envelope import from_micros

WHOLE_DAY_HOURS = 20
"""Hours with temperatures from which a day counts as whole."""
LOOK_BACK_DAYS = 3
"""How old a whole day's temperatures may be to stand in for those of a day that is not over."""
TYPICAL_RANGE = 10.0
"""Between the lowest and highest temperature of a day in K: the mean of the eleven climates in training/ is 9.5."""
RAIN_HOURS = 24
"""For how long the moisture may not show all of a rain: it takes that to reach the whole root zone."""
LIGHT_RAIN = 0.2
"""Rain of less than this share of the reference evapotranspiration wets leaves and evaporates (FAO-56, effective rain)."""

_SECOND = 1_000_000

Series = dict[int, float]
"""Start of the hour in seconds since 1970 -> the mean of the devices, each with the same weight."""


class Temperatures(NamedTuple):
    """Holds the lowest and highest hourly mean of a day, which a single wild reading does not move far, and whether the day is whole."""

    low: float
    high: float
    whole: bool


class Reference(NamedTuple):
    """Is the reference evapotranspiration of a day; None where there are no temperatures or no latitude."""

    mm: float | None
    assumed: str | None = None


class Rain(NamedTuple):
    """Is what fell: on the day, and lately (since when, in seconds since 1970). None where no gauge was heard."""

    of_day: float | None
    lately: float
    since: int


def hourly(verdicts: Iterable[Verdict], *, sums: bool = False) -> Series:
    """Returns the mean over devices of each hour that can be believed, of their means or of their sums."""
    by_hour: defaultdict[int, list[float]] = defaultdict(list)
    for verdict in verdicts:
        for hour in verdict.sound:
            by_hour[hour.start].append(hour.mean * (hour.readings if sums else 1))
    return {start: fmean(values) for start, values in by_hour.items()}


def temperatures(series: Series, day: int) -> Temperatures | None:
    means = [mean for start, mean in series.items() if day_of(start) == day]
    return Temperatures(round(min(means), 4), round(max(means), 4), len(means) >= WHOLE_DAY_HOURS) if means else None


def reference(field: Field, series: Series, day: int) -> Reference:
    """Returns the reference evapotranspiration of the day.

    A day that is not over has not had its highest temperature, so others stand in for it.
    """
    if field.site.latitude is None:
        return Reference(None, "no forecast: the registry does not say the latitude")
    sun = water.radiation(field.site.latitude, from_micros(day * _SECOND).timetuple().tm_yday)
    days = [(day - back * DAY, known) for back in range(LOOK_BACK_DAYS + 1) if (known := temperatures(series, day - back * DAY))]
    if whole := next(((start, known) for start, known in days if known.whole), None):
        start, known = whole
        assumed = None if start == day else f"temperatures of {from_micros(start * _SECOND):%Y-%m-%d}"
        return Reference(water.hargreaves(known.low, known.high, sun), assumed)
    if days:
        start, known = days[0]
        middle, half = (known.low + known.high) / 2, max(known.high - known.low, TYPICAL_RANGE) / 2
        of_day = "the day's temperatures so far" if start == day else f"the few temperatures of {from_micros(start * _SECOND):%Y-%m-%d}"
        assumed = f"{of_day}, and {TYPICAL_RANGE:g} K between lowest and highest at least"
        return Reference(water.hargreaves(middle - half, middle + half, sun), assumed)
    return Reference(None, "no forecast: no temperature was heard")


def rain(series: Series, day: int, end: int) -> Rain:
    """Returns the rain of a day, and that of the last hours before `end` (seconds since 1970) and after it on that day."""
    of_day = [mm for start, mm in series.items() if day_of(start) == day]
    lately = {start: mm for start, mm in series.items() if end - RAIN_HOURS * HOUR <= start < day + DAY and mm > 0}
    return Rain(round(sum(of_day), 4) if of_day else None, sum(lately.values()), min(lately, default=end))
