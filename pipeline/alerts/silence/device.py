"""Remembers one device, by what its gateways say of it: whether anybody still hears it. Says when it is silent, and when it never spoke.

A device is silent when every gateway that heard it in the last day misses it; a gateway that is deaf, off or behind does not know, and is
waited for. It never spoke when nobody heard it for the rule's `never_heard_seconds` after it was placed.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import NamedTuple

import msgspec

from pipeline.alerts.observation import Observation
from pipeline.alerts.silence.watch import LAG, Finding, Liveness, Watch, patience, silence
from pipeline.alerts.source import Outcome
from pipeline.state import StateFormat
from schemas.rules.silence import SilenceRule

WAITED_FOR = timedelta(days=1) // timedelta(microseconds=1)
"""So long after it heard a device, a gateway that says nothing more of it may still hear it."""
LOOK_AGAIN = timedelta(minutes=10) // timedelta(microseconds=1)
"""While a device is silent it is looked at so often, for it may be taken out of the registry; and so long a pipeline that slept waits."""
MOST_WITNESSES = 16


class Heard(NamedTuple):
    """Says that a gateway heard the device."""

    gateway_id: str
    at: int
    site_id: str


class Missed(NamedTuple):
    """Says that a gateway misses the device by a rule: it was due at `due`, and not heard until `until`, which was known at `known_at`."""

    gateway_id: str
    site_id: str
    rule: str
    heard: int
    due: int
    until: int
    known_at: int
    with_all: bool = False
    """All devices of the gateway are missing, which is an incident of the gateway."""


class StillMissed(NamedTuple):
    """Says that a gateway that misses the device has not heard it until then either."""

    gateway_id: str
    until: int
    known_at: int


class Expected(NamedTuple):
    """Says that the registry places the device from then on."""

    since: int
    site_id: str


class Unplaced(NamedTuple):
    """Says that the device stands nowhere any more."""


Report = Heard | Missed | StillMissed | Expected | Unplaced


class Witness(msgspec.Struct, array_like=True):
    """Is what a gateway knows of the device. `missed`: by rule, since when it is due, and whether with all others; `until`: up to when."""

    heard: int
    missed: dict[str, tuple[int, bool]] = {}
    until: int = 0


class DeviceState(msgspec.Struct, array_like=True):
    """Is what is remembered of a device. Times in microseconds."""

    site_id: str
    witnesses: dict[str, Witness] = {}
    expected: int = 0
    """From when it is expected, 0 if it was heard."""
    silent: dict[str, int] = {}
    """The rules that found it silent, and when it had been heard last."""
    observed: int = 0
    """The time of the last observation."""
    wake: int = 0
    """When to look again at the latest, 0 if nothing is to come."""


DEVICE = StateFormat("device_liveness", 1, DeviceState)


class DeviceMemory:
    """Is the memory of a device, under its name. It says observations of it."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    def on_report(self, packed: bytes | None, key: str, report: Report, now: int) -> Outcome:
        state = DEVICE.unpack(packed) or _state_of(report)
        if state is None:
            return Outcome(None)
        first = packed is None
        known_at = _take(state, report, now)
        return self._outcome(state, key, known_at, now, says_alive=first and isinstance(report, Heard))

    def on_timer(self, packed: bytes | None, key: str, now: int) -> Outcome:
        state = DEVICE.unpack(packed)
        if state is None:
            return Outcome(None)
        if state.wake and now - state.wake > LAG:  # this pipeline slept: what is to come may wait for it
            return self._asleep(state, now + LOOK_AGAIN)
        return self._outcome(state, key, now, now)

    def _asleep(self, state: DeviceState, until: int) -> Outcome:
        state.wake = until
        return Outcome(DEVICE.pack(state), until)

    def _outcome(self, state: DeviceState, device_id: str, known_at: int, now: int, *, says_alive: bool = False) -> Outcome:
        found = list(self._observe(state, device_id, known_at, now, says_alive=says_alive))
        if not state.witnesses and not state.expected:
            return Outcome(None, None, found)
        due = self._wakes_at(state, device_id, now)
        state.wake = due or 0
        return Outcome(DEVICE.pack(state), due, found)

    def _observe(self, state: DeviceState, device_id: str, known_at: int, now: int, *, says_alive: bool) -> Iterator[Observation]:
        placed = self._watch.is_placed(device_id, max(now, state.expected))
        for rule in self._watch.rules_of_device(device_id, state.site_id):
            was_silent, silent = rule.name in state.silent, placed and self._is_silent(state, rule, now)
            if silent == was_silent and (silent or not says_alive):
                continue
            finding = _silent(self._watch, state, rule, known_at) if silent else _alive(self._watch, state) if placed else _let_go(now)
            state.silent = {name: heard for name, heard in state.silent.items() if name != rule.name}
            state.silent |= {rule.name: _heard(state)} if silent else {}
            state.observed = max(finding.at, state.observed + 1)
            yield self._watch.of_device(rule, device_id, state.site_id, finding._replace(at=state.observed))
        if not placed:
            state.witnesses, state.expected = {}, 0

    def _is_silent(self, state: DeviceState, rule: SilenceRule, now: int) -> bool:
        heard = _heard(state)
        if not heard:
            return bool(state.expected) and now >= state.expected + patience(rule)
        if heard <= state.silent.get(rule.name, -1):
            return True  # what another gateway heard before is no news
        missing = [witness for witness in state.witnesses.values() if _misses(witness, rule, heard)]
        waited_for = any(now < witness.heard + _waited_for(rule) and witness not in missing for witness in state.witnesses.values())
        return not waited_for and any(not witness.missed[rule.name][1] for witness in missing)

    def _wakes_at(self, state: DeviceState, device_id: str, now: int) -> int | None:
        """Returns when something may change though nobody says a word."""
        if state.silent:
            return now + LOOK_AGAIN
        if not state.witnesses:
            rules = self._watch.rules_of_device(device_id, state.site_id)
            return min((max(state.expected + patience(rule), now) for rule in rules), default=None)
        if any(witness.missed for witness in state.witnesses.values()):
            rules = self._watch.rules_of_device(device_id, state.site_id)
            ends = [witness.heard + _waited_for(rule) for witness in state.witnesses.values() for rule in rules]
            return min((end for end in ends if end > now), default=None)
        return None


def _silent(watch: Watch, state: DeviceState, rule: SilenceRule, known_at: int) -> Finding:
    if not state.witnesses:
        sentence = f"not heard yet, expected since {watch.clock(state.expected, state.site_id)}"
        return Finding(Liveness.SILENT, state.expected + patience(rule), known_at, sentence)
    due = max(witness.missed[rule.name][0] for witness in state.witnesses.values() if rule.name in witness.missed)
    return Finding(Liveness.SILENT, due, known_at, f"silent since {watch.clock(_heard(state), state.site_id)}")


def _alive(watch: Watch, state: DeviceState) -> Finding:
    heard = _heard(state)
    return Finding(Liveness.ALIVE, heard, heard, f"heard again at {watch.clock(heard, state.site_id)}")


def _let_go(now: int) -> Finding:
    return Finding(Liveness.ALIVE, now, now, "no longer stands there")


def _heard(state: DeviceState) -> int:
    return max((witness.heard for witness in state.witnesses.values()), default=0)


def _misses(witness: Witness, rule: SilenceRule, heard: int) -> bool:
    """Tells whether the gateway listened for as long as the rule asks after anybody heard the device, and did not hear it."""
    return rule.name in witness.missed and witness.until >= heard + silence(rule)


def _waited_for(rule: SilenceRule) -> int:
    """Returns for how long after it heard a device a gateway may still hear it, though it says nothing."""
    return max(WAITED_FOR, silence(rule))


def _state_of(report: Report) -> DeviceState | None:
    return None if isinstance(report, Unplaced | StillMissed) else DeviceState(report.site_id)


def _take(state: DeviceState, report: Report, now: int) -> int:
    """Remembers what is reported; returns when it was known."""
    match report:
        case Heard(gateway_id, at, site_id):
            state.site_id, state.expected = site_id, 0
            if gateway_id not in state.witnesses or at > state.witnesses[gateway_id].heard:
                state.witnesses[gateway_id] = Witness(at)
            _keep_few(state)
            return at
        case Missed():
            witness = state.witnesses.setdefault(report.gateway_id, Witness(report.heard))
            if report.heard >= witness.heard:
                witness.heard = report.heard  # not every time that it heard the device was passed on
                witness.missed[report.rule] = report.due, report.with_all
                witness.until = max(witness.until, report.until)
            return report.known_at
        case StillMissed(gateway_id, until, known_at):
            if gateway_id in state.witnesses and state.witnesses[gateway_id].missed:
                state.witnesses[gateway_id].until = max(state.witnesses[gateway_id].until, until)
            return known_at
        case Expected(since, site_id):
            if not state.witnesses:
                state.site_id, state.expected = site_id, state.expected or max(since, now)
    return now


def _keep_few(state: DeviceState) -> None:
    if len(state.witnesses) > MOST_WITNESSES:
        del state.witnesses[min(state.witnesses, key=lambda name: state.witnesses[name].heard)]
