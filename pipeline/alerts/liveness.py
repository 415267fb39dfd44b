"""Who was heard when, per gateway, and who is silent: devices, and the gateway itself. Pure: the state and the time are passed in.

A device is judged by what its gateway says, never by the clock alone: silent is who is not in the data up to a time until which the
gateway has delivered everything (its heartbeat; or, if batches wait, when the oldest of them was cut). A gateway is silent when nothing
of it arrives, however old. Nothing is said of a device that was never heard (nobody knows its gateway) or that stands nowhere any more.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.alerts.observe import AHEAD, site_names
from pipeline.alerts.state_machine import HEARD, SILENT, Observation
from pipeline.assign_sites import by_batch
from pipeline.elements import RowGroup
from schemas.envelope import from_micros, micros
from schemas.registry import Registry
from schemas.rules import Rule

LAG = timedelta(minutes=2)
"""A heartbeat that waited longer than this before it was processed judges nobody: the data that belong to it may wait too."""

_SECOND = 1_000_000
_NO_END = datetime.max.replace(tzinfo=UTC)
_LAG = LAG // timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Heard:
    """What one batch tells of its gateway. Times in microseconds."""

    gateway_id: str
    received: int
    devices: dict[str, tuple[int, str]]
    """Device -> the latest event time, and its site."""
    heartbeat: int | None
    complete: int | None
    """Everything up to then was delivered before this heartbeat."""


@dataclass(slots=True)
class Presence:
    """State of one gateway, times in microseconds. `devices`: device -> when it was last heard, its site, and when that was passed on."""

    devices: dict[str, tuple[int, str, int]] = field(default_factory=dict)
    silent: set[tuple[str, str]] = field(default_factory=set)
    arrival: int = 0
    silence_counts_from: int = 0
    """From when its silence counts: the last arrival, or later if this pipeline itself slept."""

    def copy(self) -> Presence:
        return replace(self, devices=dict(self.devices), silent=set(self.silent))


def heard(row_group: RowGroup) -> Iterator[Heard]:
    """One of each batch, of whatever kind. Vectorised."""
    return map(_heard, by_batch(row_group))


def _heard(row_group: RowGroup) -> Heard:
    kind, rows = row_group.kind, row_group.rows
    received = micros(rows.column("received_time")[0].as_py())
    latest = received + AHEAD // timedelta(microseconds=1)
    devices: dict[str, tuple[int, str]] = {}
    heartbeat = complete = None
    if kind == "summaries":
        devices = _latest(rows, latest)
    elif kind == "heartbeats":
        heartbeat, complete = _completeness(rows, latest)
    return Heard(rows.column("gateway_id")[0].as_py(), received, devices, heartbeat, complete)


def _latest(rows: pa.RecordBatch, latest: int) -> dict[str, tuple[int, str]]:
    times = pc.min_element_wise(rows.column("last_time").cast(pa.int64()), latest)
    table = pa.table({"device": rows.column("device_id"), "time": times, "site": rows.column("site_id")})
    made = table.group_by("device").aggregate([("time", "max"), ("site", "max")])
    names, moments, sites = (made.column(name).to_pylist() for name in ("device", "time_max", "site_max"))
    return dict(zip(names, zip(moments, sites, strict=True), strict=True))


def _completeness(rows: pa.RecordBatch, latest: int) -> tuple[int | None, int | None]:
    times = rows.column("heartbeat_time").cast(pa.int64())
    complete = pc.min_element_wise(times, rows.column("oldest_pending_time").cast(pa.int64()))
    newest = pc.max(times).as_py()
    return min(newest, latest), min(pc.max(complete).as_py(), latest)


class Liveness:
    """The rules of silence, and what follows from what is heard."""

    def __init__(self, registry: Registry) -> None:
        rules = [rule for rule in registry.rules if rule.source == "silence"]
        self._of_devices = [rule for rule in rules if rule.subject == "device"]
        self._of_gateways = [rule for rule in rules if rule.subject == "gateway"]
        self._known: dict[tuple[str, str], list[Rule]] = {}
        self._shortest = min(map(_silence, self._of_devices), default=0)
        self._names = site_names(registry.sites)
        self._stays: dict[str, list[tuple[int, int]]] = {}
        for stay in registry.devices:
            self._stays.setdefault(stay.device_id, []).append((micros(stay.valid_from), micros(stay.valid_to or _NO_END)))

    def hear(self, presence: Presence, told: Heard, now: int) -> Iterator[Observation]:
        """Changes `presence`; now in microseconds."""
        presence.arrival = presence.silence_counts_from = max(presence.arrival, now)
        yield from self._hear_gateway(presence, told.gateway_id)
        for device_id, (at, site_id) in told.devices.items():
            yield from self._hear_device(presence, device_id, at, site_id)
        if told.heartbeat is not None and told.complete is not None and now - told.received <= _LAG:
            yield from self._judge_devices(presence, told.complete, told.heartbeat)

    def judge_gateway(self, presence: Presence, gateway_id: str, now: int) -> Iterator[Observation]:
        """Whether nothing of it has arrived for too long; nobody is judged much later than was due. Changes `presence`."""
        due = self.next_judgement(presence, gateway_id)
        if due is not None and now - due > _LAG:
            presence.silence_counts_from = now
        for rule in self._of_gateways:
            at = presence.silence_counts_from + _silence(rule)
            if rule.watches_gateway(gateway_id) and now >= at and (rule.name, gateway_id) not in presence.silent:
                presence.silent.add((rule.name, gateway_id))
                yield _of_gateway(rule, gateway_id, at, SILENT, f"nothing has arrived since {_clock(presence.arrival)}")

    def next_judgement(self, presence: Presence, gateway_id: str) -> int | None:
        """When to call `judge_gateway`, in microseconds; None if no rule waits."""
        waiting = [
            presence.silence_counts_from + _silence(rule)
            for rule in self._of_gateways
            if rule.watches_gateway(gateway_id) and (rule.name, gateway_id) not in presence.silent
        ]
        return min(waiting, default=None)

    def _hear_gateway(self, presence: Presence, gateway_id: str) -> Iterator[Observation]:
        for rule in self._of_gateways:
            if (rule.name, gateway_id) in presence.silent:
                presence.silent.discard((rule.name, gateway_id))
                yield _of_gateway(rule, gateway_id, presence.arrival, HEARD, f"heard again at {_clock(presence.arrival)}")

    def _hear_device(self, presence: Presence, device_id: str, at: int, site_id: str) -> Iterator[Observation]:
        before, _, passed_on = presence.devices.get(device_id, (0, site_id, 0))
        if at <= before:
            return
        rules = self._watching(device_id, site_id)
        # A device may speak through two gateways: each passes on now and then that it hears it, so that the other's verdict does not stand.
        due = any((rule.name, device_id) in presence.silent or at - passed_on >= _silence(rule) for rule in rules)
        presence.devices[device_id] = at, site_id, at if due else passed_on
        for rule in rules if due else ():
            presence.silent.discard((rule.name, device_id))
            yield self._of_device(rule, device_id, site_id, at, at, HEARD, f"heard again at {_clock(at)}")

    def _judge_devices(self, presence: Presence, complete: int, heartbeat: int) -> Iterator[Observation]:
        overdue = [name for name, (at, _, _) in presence.devices.items() if complete - at >= self._shortest]
        for device_id in overdue:
            at, site_id, _ = presence.devices[device_id]
            if not self._stands(device_id, complete):
                yield from self._let_go(presence, device_id, complete)
                continue
            for rule in self._watching(device_id, site_id):
                key, due = (rule.name, device_id), at + _silence(rule)
                if complete >= due and key not in presence.silent:
                    presence.silent.add(key)
                    yield self._of_device(rule, device_id, site_id, due, heartbeat, SILENT, f"silent since {_clock(at)}")

    def _watching(self, device_id: str, site_id: str) -> list[Rule]:
        """The rules that watch a device; patterns are matched once for each."""
        key = device_id, site_id
        if key not in self._known:
            self._known[key] = [rule for rule in self._of_devices if rule.watches_device(device_id, site_id)]
        return self._known[key]

    def _let_go(self, presence: Presence, device_id: str, at: int) -> Iterator[Observation]:
        """A device that stands nowhere any more is expected to be silent."""
        _, site_id, _ = presence.devices.pop(device_id)
        for rule in self._of_devices:
            if (rule.name, device_id) in presence.silent:
                presence.silent.discard((rule.name, device_id))
                yield self._of_device(rule, device_id, site_id, at, at, HEARD, "no longer stands there")

    def _stands(self, device_id: str, at: int) -> bool:
        return any(first <= at < last for first, last in self._stays.get(device_id, ()))

    def _of_device(self, rule: Rule, device_id: str, site_id: str, at: int, known: int, state: str, said: str) -> Observation:  # noqa: PLR0913
        text = f"{self._names.get(site_id, site_id)}, {device_id}: {said}"
        return Observation(rule.name, device_id, at, 0, known, state, None, rule.silent_seconds, site_id, device_id, text)


def _of_gateway(rule: Rule, gateway_id: str, at: int, state: str, said: str) -> Observation:
    text = f"gateway {gateway_id}: {said}"
    return Observation(rule.name, gateway_id, at, 0, at, state, None, rule.silent_seconds, None, None, text)


def _silence(rule: Rule) -> int:
    """Microseconds."""
    return (rule.silent_seconds or 0) * _SECOND


def _clock(at: int) -> str:
    return from_micros(at).strftime("%Y-%m-%d %H:%M:%S UTC")
