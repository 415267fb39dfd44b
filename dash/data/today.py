"""All that today's page tells of each site."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from dash.data.alerts import Alert
from dash.data.fields import FieldAdvice
from dash.data.machines import MachineNow


@dataclass(frozen=True, slots=True)
class Silent:
    """A device that was not heard for an hour or more, None if never in 30 days; `cause` is that of `silent_devices`."""

    device_id: str
    name: str
    last_heard: datetime | None
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteToday:
    """One site: `field` is None where nothing grows, `last_heard` None where nothing was heard."""

    site_id: str
    name: str
    time_zone: str | None
    field: FieldAdvice | None
    machines: tuple[MachineNow, ...]
    alerts: tuple[Alert, ...]
    silent: tuple[Silent, ...]
    devices: int
    last_heard: datetime | None


@dataclass(frozen=True, slots=True)
class Today:
    """Every site that the viewer sees, and the open alerts that have no site (of gateways)."""

    sites: tuple[SiteToday, ...]
    alerts: tuple[Alert, ...]
