"""Knows which rules of silence watch whom, where devices stand, and how an observation of silence is worded. Times in microseconds."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from msgspec.structs import replace

from pipeline.alerts.names import Names
from pipeline.alerts.observation import Observation
from program.names import gateway_called
from schemas.envelope import from_micros, micros
from schemas.registry import Registry
from schemas.rules.silence import SilenceRule

LAG = timedelta(minutes=2) // timedelta(microseconds=1)
"""Who waited longer than this for the pipeline is old news: what belongs to it may wait too."""

LISTED = 10
"""So many devices an incident of a gateway names; the others it counts."""

_SECOND = 1_000_000
_NO_END = datetime.max.replace(tzinfo=UTC)


class Liveness(StrEnum):
    """Lists the states of an observation of silence."""

    SILENT = "silent"
    ALIVE = "alive"


class Placement(NamedTuple):
    """Says where a device stands, and when: `first` inclusive, `last` exclusive."""

    site_id: str
    first: int
    last: int


class Finding(NamedTuple):
    """Says what was found, as of when, and when it could be known. `sentence` goes on after the name of whom it is about."""

    state: Liveness
    at: int
    known_at: int
    sentence: str


class Watch:
    """Answers what the memories ask: `watch.rules_of_device("soil-01", "mill-field")`."""

    def __init__(self, rules: Iterable[SilenceRule], registry: Registry) -> None:
        rules = tuple(rules)
        self.of_devices = [rule for rule in rules if rule.subject == "device"]
        self._of_gateways = [rule for rule in rules if rule.subject == "gateway"]
        self._rules_of_device: dict[tuple[str, str], list[SilenceRule]] = {}
        self.names = Names(registry)
        self._placements: dict[str, list[Placement]] = defaultdict(list)
        for row in registry.devices:
            self._placements[row.device_id].append(Placement(row.site_id, micros(row.valid_from), micros(row.valid_to or _NO_END)))
        self.shortest_silence = min(map(silence, self.of_devices), default=0)
        self.passes_on_after = min(self.shortest_silence, min(map(patience, self.of_devices), default=0)) // 2
        """After so long a gateway says again that it hears a device."""
        self.fingerprint = hashlib.sha256(repr((rules, sorted(self._placements.items()))).encode()).hexdigest()[:16]

    def rules_of_device(self, device_id: str, site_id: str) -> list[SilenceRule]:
        """Returns the rules that watch a device; patterns are matched once for each."""
        key = device_id, site_id
        if key not in self._rules_of_device:
            self._rules_of_device[key] = [rule for rule in self.of_devices if rule.watches_device(device_id, site_id)]
        return self._rules_of_device[key]

    def rules_of_gateway(self, gateway_id: str) -> list[SilenceRule]:
        return [rule for rule in self._of_gateways if rule.watches_gateway(gateway_id)]

    def is_placed(self, device_id: str, at: int) -> bool:
        return any(placement.first <= at < placement.last for placement in self._placements.get(device_id, ()))

    def placements(self, now: int) -> Iterator[tuple[str, Placement]]:
        """Yields the devices that a rule watches, with where they stand now, or will first stand."""
        for device_id, placements in self._placements.items():
            to_come = [placement for placement in placements if now < placement.last]
            if to_come and self.rules_of_device(device_id, (first := min(to_come, key=_begin)).site_id):
                yield device_id, first

    def clock(self, at: int, site_id: str | None) -> str:
        """Writes a time as the people of the site read it."""
        return self.names.clock(from_micros(at), site_id)

    def listed(self, devices: Iterable[str]) -> str:
        """Counts and names the devices: `5 devices (soil-01, soil-02 and 3 more)`."""
        names = sorted(map(self.names.device, devices))
        more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
        return f"{len(names)} device{'s' * (len(names) > 1)} ({', '.join(names[:LISTED])}{more})"

    def of_device(self, rule: SilenceRule, device_id: str, site_id: str, finding: Finding) -> Observation:
        text = f"{self.names.place(site_id, device_id)}: {finding.sentence}"
        return replace(_observation(rule, device_id, finding, text), site_id=site_id, device_id=device_id)


def of_gateway(rule: SilenceRule, gateway_id: str, finding: Finding) -> Observation:
    """Observes the gateway itself."""
    return _observation(rule, gateway_id, finding, f"{gateway_called(gateway_id)}: {finding.sentence}")


def of_all_devices(rule: SilenceRule, gateway_id: str, site_id: str | None, finding: Finding) -> Observation:
    """Observes all devices of a gateway at once. No device has this subject: a name holds no slash."""
    return replace(
        _observation(rule, f"{gateway_id}/devices", finding, f"{gateway_called(gateway_id)}: {finding.sentence}"), site_id=site_id
    )


def silence(rule: SilenceRule) -> int:
    """Returns how long is silent, in microseconds."""
    return rule.silent_seconds * _SECOND


def patience(rule: SilenceRule) -> int:
    """Returns how long a device that was never heard is waited for, in microseconds."""
    return rule.never_heard_seconds * _SECOND


def _observation(rule: SilenceRule, subject: str, finding: Finding, text: str) -> Observation:
    return Observation(
        rule=rule.name,
        subject=subject,
        at=finding.at,
        known_at=finding.known_at,
        state=finding.state,
        threshold=rule.silent_seconds,
        unit="s",
        text=text,
    )


def _begin(placement: Placement) -> int:
    return placement.first
