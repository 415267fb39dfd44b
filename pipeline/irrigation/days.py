"""Computes each field's water balance of a day after FAO-56 from hours of moisture and temperature: what is missing, what to give, how
long it lasts.

The result depends on the hours alone: any order of arrival, repetition and bundling gives the same row. Moisture is taken for the mean
of the root zone. A site is a field when the registry says soil and crop and the tables know both; before it is planted there is no row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import NamedTuple

from pipeline.irrigation import crops, water
from pipeline.irrigation.crops import Crop, Soil
from pipeline.rollup.stats import HOUR, Key, Stats
from schemas.envelope import from_micros
from schemas.records import Irrigation, Site
from schemas.registry import Registry

MOISTURE, TEMPERATURE = ("moisture", "m3/m3"), ("temperature", "degC")
"""Channel and unit of the readings that count; no other unit does."""

DAY = 24 * HOUR
WHOLE_DAY_HOURS = 20
"""Hours with temperatures from which a day counts as whole."""
LOOK_BACK_DAYS = 3
"""How old a whole day's temperatures may be to stand in for those of a day that is not over."""
TYPICAL_RANGE = 10.0
"""Between the lowest and highest temperature of a day in K: the mean of the eleven climates in training/ is 9.5."""
NEAR_DAYS = 1.0
"""Stress is near when it would begin before tomorrow at this time."""

_SECOND = 1_000_000

Hours = dict[tuple[str, int], tuple[int, float]]
"""(channel, start of the hour in seconds since 1970) -> (revision, mean). Of two revisions the higher counts."""
Days = dict[int, Hours]
"""Start of the day in seconds since 1970 -> its hours."""


@dataclass(frozen=True, slots=True)
class Field:
    """Is a site of the registry with what the tables say of its soil and crop."""

    site: Site
    soil: Soil
    crop: Crop

    def age(self, day: datetime) -> int:
        """Counts the days since sowing; as in mid-season where the registry does not say when that was."""
        planted = self.site.planted
        return self.crop.middle if planted is None else (day.date() - planted.astimezone(UTC).date()).days


class Fields:
    """Knows the sites that are fields, as of a time."""

    def __init__(self, registry: Registry) -> None:
        self._fields: dict[str, list[Field]] = {}
        for site in registry.sites:
            if field := _field(site):
                self._fields.setdefault(site.site_id, []).append(field)

    def __contains__(self, site_id: str) -> bool:
        return site_id in self._fields

    def at(self, site_id: str, time: datetime) -> Field | None:
        begun = (field for field in self._fields.get(site_id, ()) if field.site.valid_from <= time)
        return next((field for field in begun if field.site.valid_to is None or time < field.site.valid_to), None)


def without_balance(registry: Registry) -> Iterator[str]:
    """Yields a sentence for each site that has a soil or a crop and yet will get no water balance."""
    for site in registry.sites:
        if (site.soil or site.crop) and not _field(site):
            yield (
                f"site {site.site_id} gets no irrigation need: soil {site.soil!r} must be one of {', '.join(crops.SOILS)}, "
                f"and crop {site.crop!r} one of {', '.join(crops.CROPS)}"
            )


def hour_of(key: Key, window: tuple[int, int, Stats], revision: int) -> tuple[str, Days] | None:
    """Returns (site, its days) of one rolled-up window; None for what is no hour of moisture or temperature."""
    seconds, start, stats = window
    if seconds != HOUR or (key.channel, key.unit) not in (MOISTURE, TEMPERATURE):
        return None
    return key.site_id, {start // DAY * DAY: {(key.channel, start): (revision, stats.sum / stats.count)}}


def merge(days: Days, more: Mapping[int, Hours]) -> Days:
    """Merges `more` into `days`, and returns it."""
    for day, hours in more.items():
        known = days.setdefault(day, {})
        for hour, mean in hours.items():
            known[hour] = max(mean, known.get(hour, mean))
    return days


class FieldHistory(NamedTuple):
    """Holds what is known of a field: its hours, and the last revision of each day that has a row."""

    days: Days
    revisions: dict[int, int]

    def forget(self, before: datetime) -> None:
        """Drops the days that began before a time."""
        for day in [day for day in self.days if day < before.timestamp()]:
            del self.days[day]
            self.revisions.pop(day, None)


def revise(fields: Fields, site_id: str, history: FieldHistory, more: Days, as_of: datetime) -> list[Irrigation]:
    """Merges more hours into the history. Returns a new revision of each day whose row they changed."""
    before = {day: balance(fields, site_id, history.days, day, as_of) for day in affected_days(history.days, more)}
    merge(history.days, more)
    after = {day: balance(fields, site_id, history.days, day, as_of) for day in affected_days(history.days, more)}
    changed = [row for day, row in after.items() if row and row != before.get(day)]
    return [_next(history.revisions, row) for row in changed]


def balance(fields: Fields, site_id: str, days: Days, day: int, as_of: datetime) -> Irrigation | None:
    """Returns the row of a day as its first revision; None while it has no moisture, or the site is no planted field then."""
    moistures = _hourly_means(days, day, MOISTURE)
    if not moistures:
        return None
    hour = max(moistures)
    field = fields.at(site_id, _time(hour))
    if field is None or field.age(_time(day)) < 0:
        return None
    return _row(field, days, day, (hour, round(moistures[hour], 6)), as_of)


def affected_days(days: Days, changed: Iterable[int]) -> list[int]:
    """Returns the days whose rows may differ when these changed: temperatures stand in for those of later days."""
    spans = {day + later * DAY for day in changed for later in range(LOOK_BACK_DAYS + 1)}
    return sorted(spans & days.keys())


def _next(revisions: dict[int, int], row: Irrigation) -> Irrigation:
    day = int(row.day.timestamp())
    revisions[day] = revisions.get(day, -1) + 1
    return replace(row, revision=revisions[day])


def _field(site: Site) -> Field | None:
    soil = crops.soil(site.soil or "")
    crop = crops.crop(site.crop or "", site.planted, site.latitude)
    return Field(site, soil, crop) if soil and crop else None


def _row(field: Field, days: Days, day: int, moisture: tuple[int, float], as_of: datetime) -> Irrigation:
    site, soil, crop, age = field.site, field.soil, field.crop, field.age(_time(day))
    today, reference = _temperatures(days, day), _reference(field, days, day)
    depth, coefficient = crop.root_depth(age), crop.coefficient(age)
    available, depletion = water.available(soil, depth), water.depletion(soil, depth, moisture[1])
    readily_available = water.readily_available(crop, available, None if reference.mm is None else coefficient * reference.mm)
    wait = None if reference.mm is None else water.days_until_stress(soil, crop, age, depletion, reference.mm)
    need = depletion if depletion > readily_available or (wait is not None and wait < NEAR_DAYS) else 0.0
    return Irrigation(
        site_id=site.site_id,
        day=_time(day),
        crop=str(site.crop),
        soil=str(site.soil),
        moisture=moisture[1],
        moisture_time=_time(moisture[0] + HOUR),
        temperature_min=today.low if today else None,
        temperature_max=today.high if today else None,
        reference_mm=reference.mm,
        crop_coefficient=coefficient,
        root_depth=depth,
        available_mm=available,
        readily_available_mm=readily_available,
        depletion_mm=depletion,
        need_mm=need,
        need_m3=None if site.area_m2 is None else need / 1000 * site.area_m2,
        days_until_stress=wait,
        assumed="; ".join(filter(None, (_assumed_age(field, age), reference.assumed))) or None,
        revision=0,
        as_of=as_of,
    )


class _Temperatures(NamedTuple):
    low: float
    high: float
    whole: bool


class _Reference(NamedTuple):
    mm: float | None
    assumed: str | None = None


def _temperatures(days: Days, day: int) -> _Temperatures | None:
    """Returns the lowest and highest hourly mean, which a single wild reading does not move far."""
    means = _hourly_means(days, day, TEMPERATURE).values()
    return _Temperatures(round(min(means), 4), round(max(means), 4), len(means) >= WHOLE_DAY_HOURS) if means else None


def _reference(field: Field, days: Days, day: int) -> _Reference:
    """Returns the reference evapotranspiration of the day.

    A day that is not over has not had its highest temperature, so others stand in for it.
    """
    if field.site.latitude is None:
        return _Reference(None)
    sun = water.radiation(field.site.latitude, _time(day).timetuple().tm_yday)
    for back in range(LOOK_BACK_DAYS + 1):
        temperatures = _temperatures(days, day - back * DAY)
        if temperatures and temperatures.whole:
            assumed = f"temperatures of {_time(day - back * DAY):%Y-%m-%d}" if back else None
            return _Reference(water.hargreaves(temperatures.low, temperatures.high, sun), assumed)
    if today := _temperatures(days, day):
        middle, half = (today.low + today.high) / 2, max(today.high - today.low, TYPICAL_RANGE) / 2
        assumed = f"the day's temperatures so far, and {TYPICAL_RANGE:g} K between lowest and highest at least"
        return _Reference(water.hargreaves(middle - half, middle + half, sun), assumed)
    return _Reference(None)


def _assumed_age(field: Field, age: int) -> str | None:
    if field.site.planted is None:
        return "mid-season: the registry does not say when the crop was planted"
    if age > field.crop.days:
        return f"still in the field, though {field.crop.days} days after planting the season of the table is over"
    return None


def _hourly_means(days: Days, day: int, wanted: tuple[str, str]) -> dict[int, float]:
    """Returns the mean of each hour of a channel, by its start."""
    return {hour: mean for (channel, hour), (_, mean) in days.get(day, {}).items() if channel == wanted[0]}


def _time(seconds: int) -> datetime:
    return from_micros(seconds * _SECOND)
