"""Declares what a row of each section of the registry says; those of rules are in schemas/rules. Times without an offset are UTC."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from msgspec import Meta

from program.names import Name
from program.settings import Settings, require, setting
from schemas import agronomy

ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)
Time = Annotated[datetime, Meta(tz=True)]
_P256 = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004")
"""How the SubjectPublicKeyInfo of every uncompressed public key on P-256 begins (RFC 5480); the point follows."""
_POINT_BYTES = 64
_EXAMPLE = base64.b64encode(_P256 + bytes(range(_POINT_BYTES))).decode()

From = Annotated[Time, setting("From when this row holds, inclusive: a date or a time. The default is from ever", example=date(2026, 3, 1))]
To = Annotated[Time | None, setting("Until when it holds, exclusive. None: it holds now", example=datetime(2026, 10, 1, 12, tzinfo=UTC))]


class SiteSettings(Settings, frozen=True, kw_only=True):
    """Describes a field, a hall or a barn. A site that changes, with its crop for example, has a row for each time."""

    site_id: Annotated[Name, setting("Identifier of the site", example="mill-field")]
    name: Annotated[str, setting("Name that people use", min_length=1, example="Mill Field")]
    latitude: Annotated[Annotated[float, Meta(ge=-90, le=90)] | None, setting("Latitude in degrees, WGS 84", example=40.4)] = None
    longitude: Annotated[Annotated[float, Meta(ge=-180, le=180)] | None, setting("Longitude in degrees, WGS 84", example=-101.72)] = None
    area_m2: Annotated[Annotated[float, Meta(gt=0)] | None, setting("Area; with it an irrigation need is in m3 too", example=52_000)] = None
    soil: Annotated[
        str | None,
        setting(f"Texture of a field's soil, however it is spaced: {', '.join(agronomy.SOILS)}", example="SandyLoam"),
    ] = None
    crop: Annotated[str | None, setting(f"Crop of a field, however it is spaced: {', '.join(agronomy.CROPS)}", example="Maize")] = None
    planted: Annotated[Time | None, setting("Day on which the crop was sown", example=date(2026, 4, 20))] = None
    time_zone: Annotated[
        str | None, setting("Time zone in which its people live, by its IANA name. None: UTC", example="America/Chicago", since="0.3.0")
    ] = None
    valid_from: From = ALWAYS
    valid_to: To = None

    def __post_init__(self) -> None:
        _check_known("soil", self.soil, agronomy.SOILS)
        _check_known("crop", self.crop, agronomy.CROPS)
        require(self.time_zone is None or _is_zone(self.time_zone), f"time_zone {self.time_zone!r} is no IANA name such as Europe/Berlin")
        _check_order(self.valid_from, self.valid_to)


class DeviceSettings(Settings, frozen=True, kw_only=True):
    """Says where a device stands. A device that moves has a row for each place."""

    device_id: Annotated[Name, setting("The device, as it names itself to its gateway", example="soil-01")]
    kind: Annotated[str, setting("Kind of sensor", min_length=1, example="soil")]
    site_id: Annotated[Name, setting("One of [[sites]]", example="mill-field")]
    name: Annotated[
        Annotated[str, Meta(min_length=1)] | None,
        setting("Name that people use. None: its identifier", example="Probe at the oak", since="0.3.0"),
    ] = None
    valid_from: From = ALWAYS
    valid_to: To = None

    def __post_init__(self) -> None:
        _check_order(self.valid_from, self.valid_to)


class GatewayKeySettings(Settings, frozen=True, kw_only=True):
    """Says by which key a gateway signs its batches. A gateway whose key was renewed has a row for each of its keys."""

    gateway_id: Annotated[Name, setting("The gateway: gateway.id of its gateway.toml", example="gateway-north", since="0.3.0")]
    public_key: Annotated[
        str, setting("Its public key on P-256: SubjectPublicKeyInfo (DER) in base64, one line", example=_EXAMPLE, since="0.3.0")
    ]
    name: Annotated[
        Annotated[str, Meta(min_length=1)] | None,
        setting("Name that people use. None: its identifier", example="Gateway in the north barn", since="0.3.0"),
    ] = None
    site_id: Annotated[Name | None, setting("The one of [[sites]] where it stands", example="mill-field", since="0.3.0")] = None
    valid_from: Annotated[
        Time,
        setting(
            "Since when the gateway has the key; it signs older batches that wait, too",
            example=date(2026, 3, 1),
            since="0.3.0",
        ),
    ] = ALWAYS
    revoked_time: Annotated[
        Time | None,
        setting(
            "Batches received from then on may not. None: the key is good", example=datetime(2026, 10, 1, 12, tzinfo=UTC), since="0.3.0"
        ),
    ] = None

    def __post_init__(self) -> None:
        require(_is_p256(self.public_key), "public_key must be the base64 of a public key on P-256, as its SubjectPublicKeyInfo has it")
        require(
            self.revoked_time is None or self.valid_from <= self.revoked_time,
            f"revoked_time {self.revoked_time} is before valid_from {self.valid_from}",
        )


def _check_known(setting_name: str, name: str | None, known: Iterable[str]) -> None:
    without = f"leave it out for a {setting_name} without a water balance"
    require(
        name is None or agronomy.plain(name) in map(agronomy.plain, known),
        f"{setting_name} must be one of {', '.join(known)}, not {name!r}; {without}",
    )


def _is_p256(public_key: str) -> bool:
    """Tells whether it has the form of a public key on P-256. Whether its point is on the curve is seen when it is used."""
    try:
        key = base64.b64decode(public_key, validate=True)
    except ValueError:
        return False
    return key.startswith(_P256) and len(key) == len(_P256) + _POINT_BYTES


def _is_zone(name: str) -> bool:
    """Tells whether the zone is known; where no zone is, for want of tzdata, all are taken for known."""
    try:
        ZoneInfo(name)
    except (ValueError, OSError, ZoneInfoNotFoundError):
        return not available_timezones()
    return True


def _check_order(begin: datetime, end: datetime | None) -> None:
    require(end is None or begin < end, f"valid_to {end} is not after valid_from {begin}")
