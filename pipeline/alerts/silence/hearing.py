"""Knows when a gateway last heard each device, and finds whom it misses: one by one, or all at once, which is one incident of its own.

What it finds of one device goes to that device's memory, for another gateway may hear it. Two incidents are the gateway's: its broker is
offline, so that it can hear nobody; and it hears none of its devices though its broker is online.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from enum import StrEnum

import msgspec

from pipeline.alerts.observation import Observation
from pipeline.alerts.silence.device import Heard, Missed, Report, StillMissed, Unplaced
from pipeline.alerts.silence.listening import Listening
from pipeline.alerts.silence.watch import Finding, Liveness, Watch, of_all_devices, silence
from schemas.rules.silence import SilenceRule

FORGET = timedelta(days=7) // timedelta(microseconds=1)
"""After this a gateway forgets a device that it missed; the device's own memory goes on."""
MOST_DEVICES = 100_000
"""So many devices a gateway knows, too. Of more, those are forgotten that were not heard for the longest time."""

Found = Observation | tuple[str, Report]
"""Is an observation of the gateway, or what a device's memory is to know, under its name."""


class Incident(StrEnum):
    """Lists why a gateway hears nobody."""

    BROKER = "broker"
    DEVICES = "devices"


class OpenIncident(msgspec.Struct, array_like=True):
    """Is an incident that is open, and the site of all its devices, if it is one."""

    incident: Incident
    site_id: str | None


class LastHeard(msgspec.Struct, array_like=True):
    """Says when a device was last heard and when that was passed on. `missed`: the rules that miss it, and whether with all others."""

    at: int
    site_id: str
    passed_on: int = 0
    missed: dict[str, bool] = {}


class Hearing(msgspec.Struct, array_like=True):
    """Remembers the devices of a gateway, and by rule the incident that is open."""

    devices: dict[str, LastHeard] = {}
    incidents: dict[str, OpenIncident] = {}


class Ear:
    """Works on the hearing of one gateway: `list(Ear(watch, gateway_id, hearing, listening).hear("soil-01", at, site_id, now))`."""

    def __init__(self, watch: Watch, gateway_id: str, hearing: Hearing, listening: Listening) -> None:
        self._watch, self._gateway_id, self._hearing, self._listening = watch, gateway_id, hearing, listening

    def hear(self, device_id: str, at: int, site_id: str, now: int) -> Iterator[Found]:
        """Takes that a device was heard. It is passed on when that is news, and often enough that no other gateway's word stands alone."""
        rules, before = self._watch.rules_of_device(device_id, site_id), self._hearing.devices.get(device_id)
        if not rules or (before and at <= before.at):
            return
        finding = Finding(Liveness.ALIVE, now, now, f"hears {self._watch.names.device(device_id)} again")
        yield from self._end(Incident.DEVICES, (rule.name for rule in rules), finding)
        news = before is None or before.missed or at - before.passed_on >= self._watch.passes_on_after
        passed_on = at if news or before is None else before.passed_on
        self._hearing.devices[device_id] = LastHeard(at, site_id, passed_on)
        if news:
            yield device_id, Heard(self._gateway_id, at, site_id)

    def judge(self, complete: int, at: int) -> Iterator[Found]:
        """Finds who is missing, by a heartbeat of that time before which everything up to `complete` was delivered."""
        if self._listening.deaf_since:
            yield from self._judge_broker(self._listening.deaf_since, at)
            return
        yield from self._end(Incident.BROKER, list(self._hearing.incidents), Finding(Liveness.ALIVE, at, at, "its broker is online again"))
        overdue = {name for name, last in self._hearing.devices.items() if self._age(last, complete) >= self._watch.shortest_silence}
        unplaced = {name for name in overdue if not self._watch.is_placed(name, complete)}
        for name in unplaced:
            del self._hearing.devices[name]
            yield name, Unplaced()
        for rule in self._watch.of_devices if overdue - unplaced else ():
            yield from self._judge_devices(rule, complete, at)
        yield from self._still_miss(complete, at)
        self._forget(complete)

    def _judge_broker(self, since: int, at: int) -> Iterator[Found]:
        for rule in self._watch.of_devices:
            devices = self._watched(rule)
            if devices and rule.name not in self._hearing.incidents and at - since >= silence(rule):
                begin = self._watch.clock(since, _site(devices))
                sentence = f"its broker is offline since {begin}: {self._watch.listed(devices)} cannot be heard"
                finding = Finding(Liveness.SILENT, since + silence(rule), at, sentence)
                yield self._incident(rule, Incident.BROKER, devices, finding)

    def _judge_devices(self, rule: SilenceRule, complete: int, at: int) -> Iterator[Found]:
        """Finds whom the rule misses. While all of several are quiet it waits for the last: it may be one fault, not theirs."""
        heard = {name: last for name, last in self._watched(rule).items() if rule.name not in last.missed}
        ages = {name: self._age(last, complete) for name, last in heard.items()}
        overdue = {name: heard[name] for name, age in ages.items() if age >= silence(rule)}
        if not overdue:
            return
        if len(heard) > 1 and len(overdue) == len(heard):
            yield from self._miss_all(rule, overdue, complete, at)
        elif len(heard) == 1 or min(ages.values()) < silence(rule) // 2:
            for name in overdue:
                yield self._miss(rule, name, complete, at)

    def _miss_all(self, rule: SilenceRule, devices: dict[str, LastHeard], complete: int, at: int) -> Iterator[Found]:
        latest = max(last.at for last in devices.values())
        due = max(self._due(rule, last) for last in devices.values())
        since = self._watch.clock(latest, _site(devices))
        sentence = f"hears nobody since {since}, though its broker is online: {self._watch.listed(devices)} fell silent together"
        yield self._incident(rule, Incident.DEVICES, devices, Finding(Liveness.SILENT, due, at, sentence))
        for name in devices:
            yield self._miss(rule, name, complete, at, with_all=True)

    def _miss(self, rule: SilenceRule, device_id: str, complete: int, at: int, *, with_all: bool = False) -> Found:
        last = self._hearing.devices[device_id]
        last.missed, last.passed_on = last.missed | {rule.name: with_all}, complete
        due = self._due(rule, last)
        return device_id, Missed(self._gateway_id, last.site_id, rule.name, last.at, due, complete, at, with_all)

    def _still_miss(self, complete: int, at: int) -> Iterator[Found]:
        """Says again whom it misses, so that a device that another gateway heard meanwhile is silent when that one misses it too."""
        for name, last in self._hearing.devices.items():
            if last.missed and complete - last.passed_on >= self._watch.passes_on_after and self._is_missed_anew(name, last, complete):
                last.passed_on = complete
                yield name, StillMissed(self._gateway_id, complete, at)

    def _is_missed_anew(self, device_id: str, last: LastHeard, complete: int) -> bool:
        """Tells whether it listened long enough since the last interruption."""
        rules = self._watch.rules_of_device(device_id, last.site_id)
        return all(self._age(last, complete) >= silence(rule) for rule in rules if rule.name in last.missed)

    def _incident(self, rule: SilenceRule, incident: Incident, devices: dict[str, LastHeard], finding: Finding) -> Observation:
        site_id = _site(devices)
        self._hearing.incidents[rule.name] = OpenIncident(incident, site_id)
        return of_all_devices(rule, self._gateway_id, site_id, finding)

    def _end(self, incident: Incident, rules: Iterable[str], finding: Finding) -> Iterator[Found]:
        """Ends the incidents of that kind: whoever is still not heard is missed by itself, after its time."""
        open_ones = self._hearing.incidents
        ended = {name for name in rules if name in open_ones and open_ones[name].incident == incident}
        for rule in self._watch.of_devices if ended else ():
            if rule.name in ended:
                self._listening.interrupted(finding.known_at)
                self._miss_no_more(rule.name)
                yield of_all_devices(rule, self._gateway_id, open_ones.pop(rule.name).site_id, finding)

    def _miss_no_more(self, rule_name: str) -> None:
        for last in self._hearing.devices.values():
            if last.missed.get(rule_name):
                last.missed = {name: with_all for name, with_all in last.missed.items() if name != rule_name}

    def _watched(self, rule: SilenceRule) -> dict[str, LastHeard]:
        """Returns the devices that the rule watches."""
        devices = self._hearing.devices.items()
        return {name: last for name, last in devices if rule in self._watch.rules_of_device(name, last.site_id)}

    def _age(self, last: LastHeard, complete: int) -> int:
        """Returns for how long the gateway listened and did not hear it."""
        return complete - max(last.at, self._listening.since)

    def _due(self, rule: SilenceRule, last: LastHeard) -> int:
        return max(last.at, self._listening.since) + silence(rule)

    def _forget(self, complete: int) -> None:
        devices = self._hearing.devices
        old = [name for name, last in devices.items() if last.missed and complete - last.at > FORGET]
        if len(devices) - len(old) > MOST_DEVICES:
            old += sorted(devices, key=lambda name: devices[name].at)[: len(devices) - MOST_DEVICES]
        for name in old:
            devices.pop(name, None)


def _site(devices: dict[str, LastHeard]) -> str | None:
    """Returns the site of all of them; None if they stand on several."""
    sites = {last.site_id for last in devices.values()}
    return sites.pop() if len(sites) == 1 else None
