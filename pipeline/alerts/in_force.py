"""Knows by the registry in force which rules watch what, so that an alert that nothing will resolve is closed, and people hear why."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from pipeline.alerts.names import ForPeople
from pipeline.alerts.observation import Observation
from pipeline.alerts.sources import is_watched, state_machines
from pipeline.alerts.state import AlertState
from pipeline.alerts.state_machine import StateMachine
from schemas.records import Alert
from schemas.registry import Registry


class RulesInForce:
    """Has a state machine for each rule: `rules.machine("frost")`. It is built anew when the registry changes."""

    def __init__(self, registry: Registry) -> None:
        self._machines = state_machines(registry)
        self._people = ForPeople(registry)
        self._sites = {site.site_id for site in registry.sites}
        self._ends = {device.device_id: device.valid_to for device in sorted(registry.devices, key=lambda device: device.valid_from)}

    def machine(self, rule: str) -> StateMachine | None:
        return self._machines.get(rule)

    def complete(self, alerts: Iterable[Alert]) -> list[Alert]:
        """Returns the rows with what a person needs: names, time zone, what to do, link."""
        return [self._people.complete(machine.rule if (machine := self.machine(alert.rule)) else None, alert) for alert in alerts]

    def reason_to_close(self, rule: str, state: AlertState, now: datetime) -> str | None:
        """Says why nothing will resolve an open alert; None if something may, or none is open."""
        shown, machine = state.shown, self._machines.get(rule)
        if not state.is_open or shown is None:
            return None
        if machine is None or machine.rule.source != state.source:
            return "for its rule is no longer in the registry"
        return self._gone(shown, now) or _unwatched(machine, shown)

    def _gone(self, shown: Observation, now: datetime) -> str | None:
        if shown.site_id is not None and shown.site_id not in self._sites:
            return "for its site is no longer in the registry"
        if shown.device_id is not None and not self._stands(shown.device_id, now):
            return "for the device no longer stands anywhere"
        return None

    def _stands(self, device_id: str, now: datetime) -> bool:
        end = self._ends.get(device_id, now)
        return end is None or now < end


def _unwatched(machine: StateMachine, shown: Observation) -> str | None:
    if not is_watched(machine.rule, shown):
        return "for its rule no longer watches it"
    if machine.condition.lasts and shown.state is not None and not machine.condition.holds(shown, before=True):
        return "for its rule no longer opens for that"
    return None
