"""Makes observations of a column of fields' water balances."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import ClassVar

from pipeline.alerts.condition import BeyondLimit, Condition
from pipeline.alerts.names import Names
from pipeline.alerts.observation import AHEAD, Observation
from pipeline.alerts.source import Input
from schemas.envelope import micros
from schemas.records import Irrigation
from schemas.registry import Registry
from schemas.rules.irrigation import IrrigationRule

_HOUR = timedelta(hours=1) // timedelta(microseconds=1)
_AHEAD = AHEAD // timedelta(microseconds=1)
_LEAST_MM = 0.5
_SOON_DAYS = 2.0
_WATERED_SHARE = 0.5
"""A field whose depletion is at most this share of RAW has been watered."""


class IrrigationSource:
    """Observes days. A day's event time is the start of the hour that its moisture is of. One whose hour has not begun is not observed.

    A day without advice is not observed. Where the value is unknown (no forecast without temperatures, unless beyond RAW, where no days are
    left), only a field that has been watered is: a thermometer that fails is neither good news nor bad. That goes for the need, too, since
    the readily available water follows from the forecast.
    """

    RULE: ClassVar[type] = IrrigationRule
    INPUT: ClassVar[Input] = "irrigation"

    def __init__(self, rules: Iterable[IrrigationRule], registry: Registry) -> None:
        self._names = Names(registry)
        self._rules = tuple(rules)

    @staticmethod
    def condition(rule: IrrigationRule) -> Condition:
        return BeyondLimit(rule.below, rule.above, rule.hysteresis)

    @staticmethod
    def is_watched(rule: IrrigationRule, observation: Observation) -> bool:
        return rule.watches(observation.site_id or "")

    def observe(self, day: Irrigation, now: int) -> Iterator[Observation]:
        known_at = micros(day.moisture_time)
        if known_at - _HOUR > now + _AHEAD:
            return
        for rule in self._rules if day.no_advice is None else ():
            value = getattr(day, rule.column)
            if rule.watches(day.site_id) and (_is_known(day, rule.column) or _is_watered(day)):
                yield Observation(
                    rule=rule.name,
                    subject=day.site_id,
                    at=known_at - _HOUR,
                    revision=day.revision,
                    known_at=known_at,
                    value=value,
                    threshold=rule.limit,
                    site_id=day.site_id,
                    unit=rule.unit,
                    text=f"{self._names.site(day.site_id)}: {_advice(day)}",
                )


def _is_known(day: Irrigation, column: str) -> bool:
    return getattr(day, column) is not None and (column == "depletion_mm" or day.balance_days is not None)


def _is_watered(day: Irrigation) -> bool:
    return day.depletion_mm is not None and day.depletion_mm <= _WATERED_SHARE * day.readily_available_mm


def _advice(day: Irrigation) -> str:
    """Writes what a farmer wants to know, whatever the rule watches."""
    assumed = f" (assumed: {day.assumed})" if day.assumed else ""
    return f"{_need(day)}; {_outlook(day)}{assumed}"


def _need(day: Irrigation) -> str:
    need = day.need_mm or 0.0
    if need < _LEAST_MM:
        is_soon = day.balance_days is not None and day.balance_days < _SOON_DAYS
        return "no water needed today, but soon" if is_soon else "no water needed today"
    return f"give {need:.0f} mm today" + (f", {day.need_m3:,.{0 if day.need_m3 >= 10 else 1}f} m3" if day.need_m3 else "")


def _outlook(day: Irrigation) -> str:
    if day.balance_days is None:
        return "nothing is foreseen without temperatures"
    if day.balance_days == 0:
        return "the crop is under stress now"
    return f"{day.balance_days:.1f} days until stress without {'rain' if day.rain_mm is None else 'more rain'}"
