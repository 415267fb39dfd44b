"""Observes who is silent, by who was heard when: devices, gateways, and gateways that hear nobody.

A device is judged by what its gateways hear while they listen, never by the clock alone: silent is who is not in the data up to a time
until which a gateway has listened without interruption and delivered everything. pipeline.alerts.silence has the memories.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

from pipeline.alerts.condition import Condition, InStates
from pipeline.alerts.gateway_report import GatewayReport, gateway_reports
from pipeline.alerts.observation import Observation
from pipeline.alerts.silence import registry as of_registry
from pipeline.alerts.silence.device import DeviceMemory
from pipeline.alerts.silence.gateway import GatewayMemory
from pipeline.alerts.silence.registry import LookAgain, RegistryMemory
from pipeline.alerts.silence.watch import Liveness, Watch
from pipeline.alerts.source import Input, Memory, Outcome
from pipeline.elements import RowGroup
from schemas.registry import Registry
from schemas.rules.silence import SilenceRule


class SilenceSource:
    """Judges by the rules of silence: first what each gateway hears (and what the registry expects), then each device."""

    RULE: ClassVar[type] = SilenceRule
    INPUT: ClassVar[Input] = "row_groups"
    MEMORIES: ClassVar[tuple[str, ...]] = ("gateways", "devices")

    def __init__(self, rules: Iterable[SilenceRule], registry: Registry) -> None:
        watch = Watch(rules, registry)
        self._memories: dict[str, Memory] = {
            "gateways": _Gateways(GatewayMemory(watch), RegistryMemory(watch)),
            "devices": DeviceMemory(watch),
        }

    @staticmethod
    def condition(rule: SilenceRule) -> Condition:
        return InStates(frozenset([Liveness.SILENT]))

    @staticmethod
    def is_watched(rule: SilenceRule, observation: Observation) -> bool:
        if observation.device_id is not None:
            return rule.watches_device(observation.device_id, observation.site_id)
        return rule.subject == "device" or rule.watches_gateway(observation.subject)

    def reports(self, row_group: RowGroup) -> Iterator[tuple[str, GatewayReport | LookAgain]]:
        for report in gateway_reports(row_group):
            yield report.gateway_id, report
            if report.heartbeat is not None:
                yield of_registry.KEY, LookAgain()

    def memory(self, name: str) -> Memory:
        return self._memories[name]


class _Gateways:
    """Is the memory of every gateway, and under a key of its own that of the registry."""

    def __init__(self, gateways: Memory, registry: Memory) -> None:
        self._gateways, self._registry = gateways, registry

    def on_report(self, packed: bytes | None, key: str, report: Any, now: int) -> Outcome:
        return self._of(key).on_report(packed, key, report, now)

    def on_timer(self, packed: bytes | None, key: str, now: int) -> Outcome:
        return self._of(key).on_timer(packed, key, now)

    def _of(self, key: str) -> Memory:
        return self._registry if key == of_registry.KEY else self._gateways
