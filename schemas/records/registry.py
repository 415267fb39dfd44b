"""Declares what the registry knows: where devices stand, what their sites are, who their gateways are, and which rules watch them."""

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
    name: Annotated[str | None, Doc("Name that people use, null for its identifier", by="registry")] = None


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
    time_zone: Annotated[str | None, Doc("Time zone in which its people live, by its IANA name; null for UTC", by="registry")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayKey:
    """A row is a key by which a gateway signs its batches. A gateway whose key is renewed has a row for each."""

    gateway_id: Annotated[str, Doc("Gateway identifier", by="registry")]
    public_key: Annotated[str, Doc("Its public key on P-256: SubjectPublicKeyInfo (DER) in base64", by="registry")]
    name: Annotated[str | None, Doc("Name that people use, null for its identifier", by="registry")] = None
    site_id: Annotated[str | None, Doc("Site where the gateway stands, null where that is not said", by="registry")] = None
    valid_from: Annotated[datetime, Doc("Since when the gateway has the key; it signs older batches that wait, too", "UTC", by="registry")]
    revoked_time: Annotated[
        datetime | None, Doc("Batches received from then on may not; null while the key is good", "UTC", by="registry")
    ] = None


@dataclass(frozen=True, slots=True)
class RuleDefinition:
    """A row is a rule of alerts. It holds from when the pipeline sees it."""

    name: Annotated[str, Doc("Name of the rule, part of the identity of its alerts", by="registry")]
    definition: Annotated[str, Doc("JSON object of its settings but the name, as [[rules]] of the registry's file has them", by="registry")]
