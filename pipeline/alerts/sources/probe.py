"""Makes observations of the devices of a field whose moisture, temperature or rain cannot be believed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import timedelta
from enum import StrEnum
from typing import ClassVar

from pipeline.alerts.condition import Condition, InStates
from pipeline.alerts.names import Names
from pipeline.alerts.observation import AHEAD, Observation
from pipeline.alerts.source import Input
from schemas.envelope import micros
from schemas.records import Irrigation, Probe
from schemas.registry import Registry
from schemas.rules.probe import ProbeRule

_HOUR = timedelta(hours=1) // timedelta(microseconds=1)
_AHEAD = AHEAD // timedelta(microseconds=1)


class Credibility(StrEnum):
    SOUND = "sound"
    FAULTY = "faulty"


class ProbeSource:
    """Observes the devices of a field's day. The event time is the start of the latest hour that a device was heard in."""

    RULE: ClassVar[type] = ProbeRule
    INPUT: ClassVar[Input] = "irrigation"

    def __init__(self, rules: Iterable[ProbeRule], registry: Registry) -> None:
        self._names = Names(registry)
        self._rules = tuple(rules)

    @staticmethod
    def condition(rule: ProbeRule) -> Condition:
        return InStates(frozenset((Credibility.FAULTY,)))

    @staticmethod
    def is_watched(rule: ProbeRule, observation: Observation) -> bool:
        return rule.watches(observation.device_id or "", observation.site_id)

    def observe(self, day: Irrigation, now: int) -> Iterator[Observation]:
        for device_id, probes in _by_device(day).items():
            known_at = max(micros(probe.time) for probe in probes)
            if known_at - _HOUR > now + _AHEAD:
                continue
            for rule in self._rules:
                if rule.watches(device_id, day.site_id):
                    yield self._observation(rule, day, device_id, known_at, [probe.fault for probe in probes if probe.fault])

    def _observation(self, rule: ProbeRule, day: Irrigation, device_id: str, known_at: int, faults: list[str]) -> Observation:
        sentence = "; ".join(faults) if faults else "what it measures can be believed again"
        return Observation(
            rule=rule.name,
            subject=device_id,
            at=known_at - _HOUR,
            revision=day.revision,
            known_at=known_at,
            state=Credibility.FAULTY if faults else Credibility.SOUND,
            site_id=day.site_id,
            device_id=device_id,
            text=f"{self._names.place(day.site_id, device_id)}: {sentence}",
        )


def _by_device(day: Irrigation) -> dict[str, list[Probe]]:
    devices: defaultdict[str, list[Probe]] = defaultdict(list)
    for probe in day.probes:
        devices[probe.device_id].append(probe)
    return devices
