"""Observes how fast a device's channel changes, from hour to hour or over more of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar

from pipeline.alerts.condition import BeyondLimit, Condition
from pipeline.alerts.names import Names
from pipeline.alerts.observation import Observation
from pipeline.alerts.own_past import SECOND, DeviceMean, OwnPast, PastMemory, watched_means, watching
from pipeline.alerts.source import Input
from pipeline.rollup.stats import HOUR, HourOfDevices
from schemas.registry import Registry
from schemas.rules.rate import RateRule


class RateSource:
    """Observes hours of devices whose channel a rule watches, where the hour that they are compared with is known."""

    RULE: ClassVar[type] = RateRule
    INPUT: ClassVar[Input] = "hours"
    MEMORIES: ClassVar[tuple[str, ...]] = ("past",)

    def __init__(self, rules: Iterable[RateRule], registry: Registry) -> None:
        self._rules = tuple(rules)
        self._names = Names(registry)
        self.past_hours = max(rule.over_hours for rule in self._rules)
        self._memory = PastMemory(self._judge, self.past_hours + 24)

    @staticmethod
    def condition(rule: RateRule) -> Condition:
        return BeyondLimit(rule.below, rule.above, rule.hysteresis)

    @staticmethod
    def is_watched(rule: RateRule, observation: Observation) -> bool:
        return observation.device_id is not None and rule.watches_device(observation.device_id, observation.site_id)

    def reports(self, element: HourOfDevices) -> Iterator[tuple[str, DeviceMean]]:
        return watched_means(self._rules, element)

    def memory(self, name: str) -> PastMemory:
        return self._memory

    def _judge(self, past: OwnPast, mean: DeviceMean) -> Iterator[Observation]:
        for rule in watching(self._rules, mean):
            before = past.mean(mean.hour - rule.over_hours * HOUR)
            if before is not None:
                rate = (mean.mean - before) / rule.over_hours
                yield Observation(
                    rule=rule.name,
                    subject=mean.device_id,
                    at=mean.hour * SECOND,
                    revision=past.changes,
                    known_at=(mean.hour + HOUR) * SECOND,
                    value=rate,
                    threshold=rule.limit,
                    site_id=mean.site_id,
                    device_id=mean.device_id,
                    unit=f"{mean.unit}/h",
                    text=f"{self._names.place(mean.site_id, mean.device_id)}: {mean.channel} changes by {rate:+.4g} {mean.unit} an hour, "
                    f"from {before:.4g} to {mean.mean:.4g} in {rule.over_hours} h",
                )
