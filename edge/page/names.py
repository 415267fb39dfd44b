"""Knows what people call devices and gateways, by a copy of the registry; what has no name there is called by its identifier."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from program.names import gateway_called
from schemas.registry import Registry


@dataclass(frozen=True, slots=True)
class Names:
    """Usage: `Names.load(file, now).device("soil-01")` is `Mill Field, Probe at the oak`."""

    devices: Mapping[str, str] = field(default_factory=dict)
    gateways: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def load(cls, file: Path | None, now: datetime) -> Names:
        """Reads the names that hold now; none without a file. Raises ConfigError."""
        if file is None:
            return cls()
        registry = Registry.load(file)
        sites = {site.site_id: site.name for site in registry.sites if _holds(site.valid_from, site.valid_to, now)}
        devices = (device for device in registry.devices if _holds(device.valid_from, device.valid_to, now))
        return cls(
            {each.device_id: f"{sites.get(each.site_id, each.site_id)}, {each.name or each.device_id}" for each in devices},
            {gateway.gateway_id: gateway.name for gateway in registry.gateways if gateway.name},
        )

    def device(self, device_id: str) -> str:
        """Returns the site and the name of a device."""
        return self.devices.get(device_id, device_id)

    def gateway(self, gateway_id: str) -> str:
        return gateway_called(gateway_id, self.gateways.get(gateway_id))


def _holds(begin: datetime, end: datetime | None, now: datetime) -> bool:
    return begin <= now and (end is None or now < end)
