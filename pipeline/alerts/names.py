"""Knows what people call sites and devices and which time they live by, and puts that on alerts' rows. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from program.local_time import clock
from schemas.records import Alert, AlertChange
from schemas.registry import Registry
from schemas.rules import Rule


class Names:
    """Names sites and devices as the latest row of the registry does: `Names(registry).place("mill-field", "soil-01")`."""

    def __init__(self, registry: Registry) -> None:
        self._sites = _latest(registry.sites, "site_id")
        self._devices = _latest(registry.devices, "device_id")

    def site(self, site_id: str | None) -> str:
        return self.site_name(site_id) or site_id or "no site"

    def device(self, device_id: str) -> str:
        return self.device_name(device_id) or device_id

    def place(self, site_id: str | None, device_id: str) -> str:
        """Returns where a device is and which: `Mill Field, Probe at the oak`."""
        return f"{self.site(site_id)}, {self.device(device_id)}"

    def site_name(self, site_id: str | None) -> str | None:
        """Returns the site's name; None if the registry has none."""
        site = self._sites.get(site_id or "")
        return site.name if site else None

    def device_name(self, device_id: str | None) -> str | None:
        """Returns the device's name; None if the registry has none."""
        device = self._devices.get(device_id or "")
        return device.name if device else None

    def time_zone(self, site_id: str | None) -> str | None:
        """Returns the IANA name of the site's time zone; None for UTC."""
        site = self._sites.get(site_id or "")
        return site.time_zone if site else None

    def clock(self, at: datetime, site_id: str | None) -> str:
        """Writes a time as the site's people read it, to the second."""
        return clock(at, self.time_zone(site_id))


class ForPeople:
    """Puts on a row what a person needs, by the registry in force: `people.complete(rule, alert)`. An alert's rule may be gone."""

    def __init__(self, registry: Registry) -> None:
        self._names = Names(registry)

    def complete(self, rule: Rule | None, alert: Alert) -> Alert:
        """Returns the row with names, time zone, what to do while it is open, and the link."""
        return replace(
            alert,
            site_name=self._names.site_name(alert.site_id),
            device_name=self._names.device_name(alert.device_id),
            time_zone=self._names.time_zone(alert.site_id),
            to_do=rule.what_to_do if rule and alert.state != AlertChange.RESOLVED else None,
            link=rule.link_to(alert) if rule else None,
        )


def _latest(rows: tuple[Any, ...], identity: str) -> Mapping[str, Any]:
    return {getattr(row, identity): row for row in sorted(rows, key=lambda row: row.valid_from)}
