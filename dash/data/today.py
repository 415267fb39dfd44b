"""All that today's page tells of each site."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from dash.data import alerts, devices, fields, machines
from dash.data.alerts import Alert
from dash.data.devices import SILENT_AFTER, Heard
from dash.data.fields import FieldAdvice
from dash.data.machines import MachineNow
from dash.data.warehouse import Questions, Row


@dataclass(frozen=True, slots=True)
class Silent:
    """A device that is not heard; `last_heard` is None if it never was. `cause` says whether it is the device or its gateway."""

    device_id: str
    name: str
    last_heard: datetime | None
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteToday:
    """One site: `field` is None where nothing grows, `last_heard` None where nothing was heard.

    Devices of which a gateway has heard nothing since it started, not long ago, are `not_yet` heard: nobody knows whether they are silent.
    """

    site_id: str
    name: str
    time_zone: str | None
    field: FieldAdvice | None
    machines: tuple[MachineNow, ...]
    alerts: tuple[Alert, ...]
    silent: tuple[Silent, ...]
    not_yet: tuple[Silent, ...]
    devices: int
    last_heard: datetime | None


@dataclass(frozen=True, slots=True)
class Today:
    """Every site that the viewer sees, and the open alerts of none of them: of gateways, and of sites that the registry has no more."""

    sites: tuple[SiteToday, ...]
    alerts: tuple[Alert, ...]


def read(questions: Questions, now: datetime) -> Today:
    """Returns every site by name, with what is to be done on it. Raises Unreachable."""
    questions.ahead("advice", "gateways", "sites", "machines", "labelled_since", "devices", moment=now)
    answers = _Answers(
        fields.overview(questions, now),
        machines.overview(questions, now),
        alerts.still_open(questions, now),
        devices.read(questions, now),
        {row["gateway_id"]: row for row in questions.query("gateways", moment=now)},
        now,
    )
    sites = tuple(answers.of_site(row) for row in questions.query("sites", moment=now))
    listed = {site.site_id for site in sites}
    return Today(sites, tuple(alert for alert in answers.alerts if alert.site_id not in listed))


@dataclass(frozen=True, slots=True)
class _Answers:
    """Holds what was answered of all sites that the viewer sees."""

    advice: tuple[FieldAdvice, ...]
    machines: tuple[MachineNow, ...]
    alerts: tuple[Alert, ...]
    devices: tuple[Heard, ...]
    gateways: Mapping[str, Row]
    now: datetime

    def of_site(self, site: Row) -> SiteToday:
        site_id = site["site_id"]
        heard = [device for device in self.devices if device.site_id == site_id]
        unheard = [device for device in heard if device.is_silent(self.now)]
        return SiteToday(
            site_id=site_id,
            name=site["name"],
            time_zone=site["time_zone"],
            field=next((field for field in self.advice if field.site_id == site_id), None),
            machines=tuple(machine for machine in self.machines if machine.site_id == site_id),
            alerts=tuple(alert for alert in self.alerts if alert.site_id == site_id),
            silent=tuple(self._silent(device) for device in unheard if not self._just_started(device)),
            not_yet=tuple(self._silent(device) for device in unheard if self._just_started(device)),
            devices=site["devices"],
            last_heard=max((device.last_heard for device in heard if device.last_heard), default=None),
        )

    def _silent(self, device: Heard) -> Silent:
        return Silent(device.device_id, device.name, device.last_heard, self._cause(device))

    def _just_started(self, device: Heard) -> bool:
        """Says whether the device's gateway runs for less long than is silence."""
        gateway = self.gateways.get(device.gateway_id or "")
        return bool(gateway and gateway["started_time"] and self.now - gateway["started_time"] < SILENT_AFTER)

    def _cause(self, device: Heard) -> str:
        """Says, as the query silent_devices does, whether it is the device or its gateway."""
        if device.gateway_id is None:
            return "never heard"
        gateway = self.gateways.get(device.gateway_id)
        if gateway is None or gateway["received_time"] is None:
            return "its gateway has not been heard in 30 days"
        if self.now - gateway["received_time"] >= SILENT_AFTER:
            return "its gateway is silent"
        return "the device itself" if gateway["broker_state"] == "online" else "its gateway has lost the broker"
