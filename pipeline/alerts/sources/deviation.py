"""Observes how far an hour of a device's channel is from the median of its own past, in terms of the median absolute deviation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar

from pipeline.alerts.condition import BeyondLimit, Condition
from pipeline.alerts.names import Names
from pipeline.alerts.observation import Observation
from pipeline.alerts.own_past import SECOND, DeviceMean, OwnPast, PastMemory, watched_means, watching, z_score
from pipeline.alerts.source import Input
from pipeline.rollup.stats import HOUR, HourOfDevices
from schemas.registry import Registry
from schemas.rules.deviation import DeviationRule


class DeviationSource:
    """Observes hours of devices whose channel a rule watches. An hour's event time is its start; less than half of the past is no past."""

    RULE: ClassVar[type] = DeviationRule
    INPUT: ClassVar[Input] = "hours"
    MEMORIES: ClassVar[tuple[str, ...]] = ("past",)

    def __init__(self, rules: Iterable[DeviationRule], registry: Registry) -> None:
        self._rules = tuple(rules)
        self._names = Names(registry)
        self.past_hours = max(rule.past_hours for rule in self._rules)
        self._memory = PastMemory(self._judge, self.past_hours)

    @staticmethod
    def condition(rule: DeviationRule) -> Condition:
        return BeyondLimit(None, rule.above, rule.hysteresis)

    @staticmethod
    def is_watched(rule: DeviationRule, observation: Observation) -> bool:
        return observation.device_id is not None and rule.watches_device(observation.device_id, observation.site_id)

    def reports(self, element: HourOfDevices) -> Iterator[tuple[str, DeviceMean]]:
        return watched_means(self._rules, element)

    def memory(self, name: str) -> PastMemory:
        return self._memory

    def _judge(self, past: OwnPast, mean: DeviceMean) -> Iterator[Observation]:
        for rule in watching(self._rules, mean):
            before = past.before(mean.hour, rule.past_hours)
            score = z_score(before, mean.mean, rule.least_spread) if len(before) * 2 >= rule.past_hours else None
            if score is not None:
                where = "above" if score > 0 else "below"
                yield Observation(
                    rule=rule.name,
                    subject=mean.device_id,
                    at=mean.hour * SECOND,
                    revision=past.changes,
                    known_at=(mean.hour + HOUR) * SECOND,
                    value=abs(score),
                    threshold=rule.above,
                    site_id=mean.site_id,
                    device_id=mean.device_id,
                    unit="usual spreads",
                    text=f"{self._names.place(mean.site_id, mean.device_id)}: {mean.channel} of an hour is {mean.mean:.4g} {mean.unit}, "
                    f"{abs(score):.1f} times its usual spread {where} what is usual",
                )
