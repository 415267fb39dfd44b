"""Declares what the registry knows: where devices stand, and what their sites are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from schemas.records.column import DEVICE, Doc


@dataclass(frozen=True, slots=True)
class Device:
    """A row says where a device stood from one time to another, by the registry."""

    device_id: Annotated[str, DEVICE._replace(by="registry")]
    kind: Annotated[str, Doc("Kind of sensor, for example soil", by="registry")]
    site_id: Annotated[str, Doc("Site it stands on", by="registry")]
    valid_from: Annotated[datetime, Doc("From when this row holds, inclusive", "UTC", by="registry")]
    valid_to: Annotated[datetime | None, Doc("Until when it holds, exclusive; null for now", "UTC", by="registry")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A row is a field, a hall or a barn of the registry."""

    site_id: Annotated[str, Doc("Site identifier", by="registry")]
    name: Annotated[str, Doc("Name that people use", by="registry")]
    latitude: Annotated[float | None, Doc("Latitude, WGS 84", "degree", by="registry")] = None
    longitude: Annotated[float | None, Doc("Longitude, WGS 84", "degree", by="registry")] = None
    area_m2: Annotated[float | None, Doc("Area of the field or hall", "m2", by="registry")] = None
    soil: Annotated[str | None, Doc("Soil texture, for a field", by="registry")] = None
    crop: Annotated[str | None, Doc("Crop, for a field", by="registry")] = None
    planted: Annotated[datetime | None, Doc("When the crop was sown, for a field", "UTC", by="registry")] = None
    valid_from: Annotated[datetime, Doc("From when this row holds, inclusive", "UTC", by="registry")]
    valid_to: Annotated[datetime | None, Doc("Until when it holds, exclusive; null for now", "UTC", by="registry")] = None
