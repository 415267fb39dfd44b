"""Makes observations of a site's mean of results of rolled-up windows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import ClassVar

from pipeline.alerts.condition import BeyondLimit, Condition
from pipeline.alerts.names import Names
from pipeline.alerts.observation import AHEAD, Observation
from pipeline.alerts.source import Input
from pipeline.rollup.stats import HOUR, WindowResult
from schemas.registry import Registry
from schemas.rules.site_window import SiteWindowRule

_SECOND = 1_000_000
_AHEAD = AHEAD // timedelta(microseconds=1)


class SiteWindowSource:
    """Observes windows. A window's event time is its start, and it is not old before it ended. One that has not begun is not observed."""

    RULE: ClassVar[type] = SiteWindowRule
    INPUT: ClassVar[Input] = "windows"

    def __init__(self, rules: Iterable[SiteWindowRule], registry: Registry) -> None:
        self._names = Names(registry)
        self._by_window: dict[tuple[str, int], list[SiteWindowRule]] = defaultdict(list)
        for rule in rules:
            self._by_window[rule.channel, rule.window_seconds].append(rule)

    @staticmethod
    def condition(rule: SiteWindowRule) -> Condition:
        return BeyondLimit(rule.below, rule.above, rule.hysteresis)

    @staticmethod
    def is_watched(rule: SiteWindowRule, observation: Observation) -> bool:
        return rule.watches(observation.site_id or "")

    def observe(self, result: WindowResult, now: int) -> Iterator[Observation]:
        key, (seconds, start, stats), revision, _ = result
        if start * _SECOND > now + _AHEAD:
            return
        for rule in self._by_window.get((key.channel, seconds), ()):
            if rule.watches(key.site_id) and rule.unit in (None, key.unit):
                mean = stats.sum / stats.count
                span = "an hour" if seconds == HOUR else "a minute"
                yield Observation(
                    rule=rule.name,
                    subject=key.site_id,
                    at=start * _SECOND,
                    revision=revision,
                    known_at=(start + seconds) * _SECOND,
                    value=mean,
                    threshold=rule.limit,
                    site_id=key.site_id,
                    unit=key.unit or None,
                    text=f"{self._names.site(key.site_id)}: mean {key.channel} of {span} is {mean:.4g} {key.unit}",
                )
