"""Computes each field's water balance of a day after FAO-56 from hours of moisture, temperature and rain: what is missing, what to give,
how long it lasts.

The result depends on the hours alone: any order of arrival, repetition and bundling gives the same row. `rows_of(fields, site_id, hours,
as_of)` makes the rows of any hours, `revise` those that more hours change. Moisture is taken for the mean of the root zone. Before a field
is planted there is no row; a day whose moisture cannot be believed has a row that says so instead of a need.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from statistics import fmean
from typing import NamedTuple

from pipeline.irrigation import weather
from pipeline.irrigation.fields import Field, Fields
from pipeline.irrigation.hours import DAY, Days, FieldHistory, by_device, merge, merged
from pipeline.irrigation.probes import CHANNELS, LAST_WORD_HOURS, MOISTURE, RAIN, TEMPERATURE, Verdict, judge
from pipeline.irrigation.root_zone import RootZone
from pipeline.irrigation.wording import assumptions, reasons
from pipeline.rollup.stats import HOUR, HourOfDevices
from schemas.envelope import from_micros
from schemas.records import Irrigation, Probe

HISTORY_DAYS = 4
"""How many days before it a day's row looks at: those that tell a frozen probe, and whose temperatures stand in."""

_SECOND = 1_000_000


def rows_of(fields: Fields, site_id: str, hours: Iterable[HourOfDevices], as_of: datetime) -> list[Irrigation]:
    """Returns the row of each day of a field whose hours these are, as its first revision."""
    return revise(fields, site_id, FieldHistory({}, {}), merged(hours), as_of)


def revise(fields: Fields, site_id: str, history: FieldHistory, more: Days, as_of: datetime) -> list[Irrigation]:
    """Merges more hours into the history. Returns a new revision of each day whose row they changed."""
    merge(history.days, more)
    rows = (balance(fields, site_id, history.days, day, as_of) for day in affected_days(history.days, more))
    return [revised for row in rows if row and (revised := _next(history.revisions, row))]


def affected_days(days: Days, changed: Iterable[int]) -> list[int]:
    """Returns the days whose rows may differ when these changed."""
    spans = {day + later * DAY for day in changed for later in range(HISTORY_DAYS + 1)}
    return sorted(spans & days.keys())


def balance(fields: Fields, site_id: str, days: Days, day: int, as_of: datetime) -> Irrigation | None:
    """Returns the row of a day as its first revision; None while it has no moisture, or the site is no planted field then."""
    heard = [start for (channel, _, start), (_, devices) in days.get(day, {}).items() if devices and channel == MOISTURE.name]
    field = fields.at(site_id, _time(max(heard))) if heard else None
    if field is None or field.age(_time(day)) < 0:
        return None
    return _row(field, _measured(field, days, day), day, as_of)


class _Measured(NamedTuple):
    """Holds what is thought of each probe of a field at the end of a day, by channel, and how many readings the day has."""

    verdicts: dict[str, list[Verdict]]
    readings: int

    @property
    def everybody(self) -> list[Verdict]:
        return [verdict for of_channel in self.verdicts.values() for verdict in of_channel]

    @property
    def latest(self) -> int:
        """Returns the start of the latest hour of moisture."""
        return max(verdict.latest.start for verdict in self.verdicts[MOISTURE.name])

    @property
    def moistures(self) -> list[Verdict]:
        """Returns the probes of moisture that count."""
        since = self.latest - LAST_WORD_HOURS * HOUR
        return [probe for probe in self.verdicts[MOISTURE.name] if probe.usable and probe.sound[-1].start > since]


def _measured(field: Field, days: Days, day: int) -> _Measured:
    verdicts: dict[str, list[Verdict]] = {name: [] for name in CHANNELS}
    for (name, device_id), hours in by_device(days, range(day - HISTORY_DAYS * DAY, day + DAY, DAY)).items():
        if channel := CHANNELS.get(name):
            verdicts[name].append(judge(channel, field.named_soil, device_id, hours))
    readings = sum(device.readings for (name, _, _), (_, devices) in days[day].items() if name in CHANNELS for device in devices)
    return _Measured(verdicts, readings)


def _row(field: Field, measured: _Measured, day: int, as_of: datetime) -> Irrigation:
    site, probes, air = field.site, measured.moistures, weather.hourly(measured.verdicts[TEMPERATURE.name])
    today, reference = weather.temperatures(air, day), weather.reference(field, air, day)
    zone = RootZone(field, field.age(_time(day)), reference.mm)
    moisture = round(fmean(probe.sound[-1].mean for probe in probes), 6) if probes else None
    end = max((probe.sound[-1].start for probe in probes), default=measured.latest) + HOUR
    rain = weather.rain(weather.hourly(measured.verdicts[RAIN.name], sums=True), day, end)
    state = None if moisture is None else zone.state(moisture, probes, rain)
    return Irrigation(
        site_id=site.site_id,
        day=_time(day),
        crop=str(site.crop),
        soil=str(site.soil),
        moisture=moisture,
        moisture_time=_time(measured.latest + HOUR),
        probes=tuple(map(_probe, measured.everybody)),
        temperature_min=today.low if today else None,
        temperature_max=today.high if today else None,
        reference_mm=reference.mm,
        rain_mm=rain.of_day,
        rain_unseen_mm=state.rain_unseen if state and rain.of_day is not None else None,
        crop_coefficient=zone.coefficient,
        root_depth=zone.depth,
        available_mm=zone.available,
        readily_available_mm=zone.readily_available,
        depletion_mm=state.depletion if state else None,
        need_mm=state.need if state else None,
        need_m3=None if state is None or site.area_m2 is None else state.need / 1000 * site.area_m2,
        balance_days=state.days if state else None,
        no_advice=None if state else reasons(measured.verdicts[MOISTURE.name]),
        assumed=assumptions(field, zone.age, measured.everybody, probes, reference, measured.latest) if state else None,
        readings=measured.readings,
        revision=0,
        as_of=as_of,
    )


def _probe(verdict: Verdict) -> Probe:
    start, unit, hour = verdict.latest
    return Probe(
        device_id=verdict.device_id,
        channel=verdict.channel,
        value=round(hour.mean * (hour.readings if verdict.channel == RAIN.name else 1), 6),
        unit=unit,
        time=_time(start + HOUR),
        fault=verdict.fault,
    )


def _next(revisions: dict[int, tuple[int, int]], row: Irrigation) -> Irrigation | None:
    """Returns the row as the next revision of its day; None if it says what the last one said."""
    day, digest = int(row.day.timestamp()), _digest(row)
    last, known = revisions.get(day, (-1, 0))
    if last >= 0 and digest == known:
        return None
    revisions[day] = last + 1, digest
    return replace(row, revision=last + 1)


def _digest(row: Irrigation) -> int:
    """Returns 56 bits of all that the row says but when it was computed."""
    content = repr(replace(row, revision=0, as_of=row.day)).encode()
    return int.from_bytes(hashlib.blake2b(content, digest_size=7).digest())


def _time(seconds: int) -> datetime:
    return from_micros(seconds * _SECOND)
