"""Observes who is silent, by who was heard when: devices, and the gateway itself.

A device is judged by what its gateway delivers, never by the clock alone: silent is who is not in the data up to a time until which the
gateway has delivered everything (its heartbeat; or, if batches wait, when the oldest of them was cut). A gateway is silent when nothing
of it arrives, however old. No device is judged that was never heard (nobody knows its gateway) or that stands nowhere any more.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import ClassVar

from pipeline.alerts.condition import Condition, InStates
from pipeline.alerts.gateway_report import GatewayReport, gateway_reports
from pipeline.alerts.observation import Observation, SiteNames
from pipeline.alerts.source import Input
from pipeline.elements import RowGroup
from schemas.envelope import from_micros, micros
from schemas.registry import Registry
from schemas.rules.silence import SilenceRule

LAG = timedelta(minutes=2)
"""A heartbeat that waited longer than this before it was processed judges nobody: the data that belong to it may wait too."""

_SECOND = 1_000_000
_NO_END = datetime.max.replace(tzinfo=UTC)
_LAG = LAG // timedelta(microseconds=1)


class Liveness(StrEnum):
    """Lists the states of an observation of silence."""

    SILENT = "silent"
    ALIVE = "alive"


@dataclass(slots=True)
class GatewayLiveness:
    """Remembers one gateway, times in microseconds. `devices`: device -> when it was last heard, its site, and when that was passed on."""

    devices: dict[str, tuple[int, str, int]] = field(default_factory=dict)
    silent: set[tuple[str, str]] = field(default_factory=set)
    arrival: int = 0
    silence_counts_from: int = 0
    """From when its silence counts: the last arrival, or later if this pipeline itself slept."""

    def copy(self) -> GatewayLiveness:
        return replace(self, devices=dict(self.devices), silent=set(self.silent))


class SilenceSource:
    """Judges by the rules of silence what follows from what is heard; the memory is that of one gateway."""

    RULE: ClassVar[type] = SilenceRule
    INPUT: ClassVar[Input] = "row_groups"

    def __init__(self, rules: Iterable[SilenceRule], registry: Registry) -> None:
        rules = tuple(rules)
        self._of_devices = [rule for rule in rules if rule.subject == "device"]
        self._of_gateways = [rule for rule in rules if rule.subject == "gateway"]
        self._rules_of_device: dict[tuple[str, str], list[SilenceRule]] = {}
        self._shortest = min(map(_silence, self._of_devices), default=0)
        self._names = SiteNames(registry)
        self._placements: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for placement in registry.devices:
            self._placements[placement.device_id].append((micros(placement.valid_from), micros(placement.valid_to or _NO_END)))

    @staticmethod
    def condition(rule: SilenceRule) -> Condition:
        return InStates(frozenset([Liveness.SILENT]))

    def reports(self, row_group: RowGroup) -> Iterator[tuple[str, GatewayReport]]:
        return ((report.gateway_id, report) for report in gateway_reports(row_group))

    def on_report(self, memory: GatewayLiveness | None, report: GatewayReport, now: int) -> tuple[GatewayLiveness, list[Observation]]:
        liveness = memory.copy() if memory else GatewayLiveness()
        return liveness, list(self._hear(liveness, report, now))

    def next_timer(self, memory: GatewayLiveness, key: str) -> int | None:
        """Returns when the gateway itself is silent if nothing arrives; None if no rule waits for that."""
        due = (memory.silence_counts_from + _silence(rule) for rule in self._of_gateways if _waits(rule, key, memory))
        return min(due, default=None)

    def on_timer(self, memory: GatewayLiveness, key: str, now: int) -> tuple[GatewayLiveness, list[Observation]]:
        liveness = memory.copy()
        return liveness, list(self._judge_gateway(liveness, key, now))

    def _hear(self, liveness: GatewayLiveness, report: GatewayReport, now: int) -> Iterator[Observation]:
        liveness.arrival = liveness.silence_counts_from = max(liveness.arrival, now)
        yield from self._hear_gateway(liveness, report.gateway_id)
        for device_id, (at, site_id) in report.devices.items():
            yield from self._hear_device(liveness, device_id, at, site_id)
        if report.heartbeat is not None and report.complete is not None and now - report.received <= _LAG:
            yield from self._judge_devices(liveness, report.complete, report.heartbeat)

    def _judge_gateway(self, liveness: GatewayLiveness, gateway_id: str, now: int) -> Iterator[Observation]:
        """Observes whether nothing of it has arrived for too long; nobody is judged much later than was due."""
        due = self.next_timer(liveness, gateway_id)
        if due is not None and now - due > _LAG:
            liveness.silence_counts_from = now
        for rule in self._of_gateways:
            at = liveness.silence_counts_from + _silence(rule)
            if _waits(rule, gateway_id, liveness) and now >= at:
                liveness.silent.add((rule.name, gateway_id))
                text = f"nothing has arrived since {_clock(liveness.arrival)}"
                yield _of_gateway(rule, gateway_id, at, Liveness.SILENT, text)

    def _hear_gateway(self, liveness: GatewayLiveness, gateway_id: str) -> Iterator[Observation]:
        for rule in self._of_gateways:
            if (rule.name, gateway_id) in liveness.silent:
                liveness.silent.discard((rule.name, gateway_id))
                yield _of_gateway(rule, gateway_id, liveness.arrival, Liveness.ALIVE, f"heard again at {_clock(liveness.arrival)}")

    def _hear_device(self, liveness: GatewayLiveness, device_id: str, at: int, site_id: str) -> Iterator[Observation]:
        before, _, passed_on = liveness.devices.get(device_id, (0, site_id, 0))
        if at <= before:
            return
        rules = self._watching(device_id, site_id)
        # A device may speak through two gateways: each passes on now and then that it hears it, so that the other's verdict does not stand.
        due = any((rule.name, device_id) in liveness.silent or at - passed_on >= _silence(rule) for rule in rules)
        liveness.devices[device_id] = at, site_id, at if due else passed_on
        for rule in rules if due else ():
            liveness.silent.discard((rule.name, device_id))
            yield self._of_device(
                rule, device_id, site_id=site_id, at=at, known_at=at, state=Liveness.ALIVE, sentence=f"heard again at {_clock(at)}"
            )

    def _judge_devices(self, liveness: GatewayLiveness, complete: int, heartbeat: int) -> Iterator[Observation]:
        overdue = [name for name, (at, _, _) in liveness.devices.items() if complete - at >= self._shortest]
        for device_id in overdue:
            at, site_id, _ = liveness.devices[device_id]
            if not self._is_placed(device_id, complete):
                yield from self._let_go(liveness, device_id, complete)
                continue
            for rule in self._watching(device_id, site_id):
                key, due = (rule.name, device_id), at + _silence(rule)
                if complete >= due and key not in liveness.silent:
                    liveness.silent.add(key)
                    yield self._of_device(
                        rule,
                        device_id,
                        site_id=site_id,
                        at=due,
                        known_at=heartbeat,
                        state=Liveness.SILENT,
                        sentence=f"silent since {_clock(at)}",
                    )

    def _watching(self, device_id: str, site_id: str) -> list[SilenceRule]:
        """Returns the rules that watch a device; patterns are matched once for each."""
        key = device_id, site_id
        if key not in self._rules_of_device:
            self._rules_of_device[key] = [rule for rule in self._of_devices if rule.watches_device(device_id, site_id)]
        return self._rules_of_device[key]

    def _let_go(self, liveness: GatewayLiveness, device_id: str, at: int) -> Iterator[Observation]:
        """Forgets a device that stands nowhere any more: it is expected to be silent."""
        _, site_id, _ = liveness.devices.pop(device_id)
        for rule in self._of_devices:
            if (rule.name, device_id) in liveness.silent:
                liveness.silent.discard((rule.name, device_id))
                yield self._of_device(
                    rule, device_id, site_id=site_id, at=at, known_at=at, state=Liveness.ALIVE, sentence="no longer stands there"
                )

    def _is_placed(self, device_id: str, at: int) -> bool:
        return any(first <= at < last for first, last in self._placements.get(device_id, ()))

    def _of_device(  # noqa: PLR0913 - what an observation is made of
        self, rule: SilenceRule, device_id: str, *, site_id: str, at: int, known_at: int, state: Liveness, sentence: str
    ) -> Observation:
        return Observation(
            rule=rule.name,
            subject=device_id,
            at=at,
            known_at=known_at,
            state=state,
            threshold=rule.silent_seconds,
            site_id=site_id,
            device_id=device_id,
            text=f"{self._names.of(site_id)}, {device_id}: {sentence}",
        )


def _of_gateway(rule: SilenceRule, gateway_id: str, at: int, state: Liveness, sentence: str) -> Observation:
    text = f"gateway {gateway_id}: {sentence}"
    return Observation(rule=rule.name, subject=gateway_id, at=at, known_at=at, state=state, threshold=rule.silent_seconds, text=text)


def _waits(rule: SilenceRule, gateway_id: str, liveness: GatewayLiveness) -> bool:
    """Tells whether the rule watches the gateway and has not found it silent yet."""
    return rule.watches_gateway(gateway_id) and (rule.name, gateway_id) not in liveness.silent


def _silence(rule: SilenceRule) -> int:
    """Returns the rule's time in microseconds."""
    return rule.silent_seconds * _SECOND


def _clock(at: int) -> str:
    return from_micros(at).strftime("%Y-%m-%d %H:%M:%S UTC")
