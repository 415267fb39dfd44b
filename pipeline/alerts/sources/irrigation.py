"""Makes observations of a column of fields' water balances."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import ClassVar

from pipeline.alerts.condition import BeyondLimit, Condition
from pipeline.alerts.observation import AHEAD, Observation, SiteNames
from pipeline.alerts.source import Input
from schemas.envelope import micros
from schemas.records import Irrigation
from schemas.registry import Registry
from schemas.rules.irrigation import IrrigationRule

_HOUR = timedelta(hours=1) // timedelta(microseconds=1)
_AHEAD = AHEAD // timedelta(microseconds=1)


class IrrigationSource:
    """Observes days. A day's event time is the start of the hour that its moisture is of. One whose hour has not begun is not observed."""

    RULE: ClassVar[type] = IrrigationRule
    INPUT: ClassVar[Input] = "irrigation"

    def __init__(self, rules: Iterable[IrrigationRule], registry: Registry) -> None:
        self._names = SiteNames(registry)
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
        for rule in self._rules:
            value = getattr(day, rule.column)
            if value is not None and rule.watches(day.site_id):
                yield Observation(
                    rule=rule.name,
                    subject=day.site_id,
                    at=known_at - _HOUR,
                    revision=day.revision,
                    known_at=known_at,
                    value=value,
                    threshold=rule.limit,
                    site_id=day.site_id,
                    text=f"{self._names.of(day.site_id)}: {_advice(day)}",
                )


def _advice(day: Irrigation) -> str:
    """Writes what a farmer wants to know, whatever the rule watches."""
    days = day.days_until_stress
    if day.need_mm < 0.5:
        return "no water needed today" if days is None else f"no water needed today; stress in {days:.1f} days without rain"
    need = f"{day.need_mm:.0f} mm today" + (f", {day.need_m3:,.0f} m3" if day.need_m3 else "")
    return need if days is None else f"{need}; {'under stress now' if days == 0 else f'{days:.1f} days until stress'}"
