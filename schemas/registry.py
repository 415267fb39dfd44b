"""Reads the registry of sites and devices, as of a time, and the rules of their alerts: one TOML file.

Rows of one device may not overlap in time, so that every event time has at most one site. Times without an offset are UTC.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Generic, Protocol, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from msgspec import Meta, structs

from program import settings
from program.names import Name
from program.settings import Settings, require, setting
from schemas import agronomy, rules
from schemas.records import Device, Site
from schemas.rules import Rule

ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)
Time = Annotated[datetime, Meta(tz=True)]
_END = datetime.max.replace(tzinfo=UTC)

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


class RegistryFile(Settings, frozen=True, kw_only=True):
    """Is the whole file."""

    sites: tuple[SiteSettings, ...] = ()
    devices: tuple[DeviceSettings, ...] = ()
    rules: tuple[Rule, ...] = ()

    def __post_init__(self) -> None:
        known = {site.site_id for site in self.sites}
        for number, device in enumerate(self.devices, 1):
            require(device.site_id in known, f"devices[{number}].site_id: {device.site_id!r} is not in [[sites]]")
        _refuse_overlaps("sites", ((row.site_id, row.valid_from, row.valid_to) for row in self.sites))
        _refuse_overlaps("devices", ((row.device_id, row.valid_from, row.valid_to) for row in self.devices))
        rules.check_names(self.rules)


@dataclass(frozen=True, slots=True)
class Registry:
    """Knows sites and devices with the times for which each row holds, and rules, which hold always: `Registry.load(path).devices`."""

    sites: tuple[Site, ...]
    devices: tuple[Device, ...]
    rules: tuple[Rule, ...] = ()

    @classmethod
    def load(cls, path: Path) -> Registry:
        """Reads a file. Raises ConfigError, naming the file and the setting, for anything but a sound registry."""
        content = settings.read(path)
        with settings.of_file(path):
            return cls.parse(content)

    @classmethod
    def of_toml(cls, text: bytes, name: str) -> Registry:
        """Reads the text of a file of that name, wherever it lies. Raises ConfigError, naming the file and the setting."""
        with settings.of_file(name):
            return cls.parse(settings.content(text))

    @classmethod
    def parse(cls, content: dict[str, Any]) -> Registry:
        """Reads parsed TOML. Raises ConfigError."""
        file = settings.build(RegistryFile, content, Path())
        sites = tuple(Site(**structs.asdict(site)) for site in file.sites)
        devices = tuple(Device(**structs.asdict(device)) for device in file.devices)
        return cls(sites, devices, file.rules)


class RegistrySource(Protocol):
    """Gives the registry that is in force. It can be pickled, and be asked for every bundle of rows."""

    def current(self) -> Registry:
        """Returns the registry: the same object for as long as nothing in it changes."""


@dataclass(frozen=True, slots=True)
class FixedRegistry:
    """Gives one registry for ever: `FixedRegistry(registry).current()`."""

    registry: Registry

    def current(self) -> Registry:
        return self.registry


_Built = TypeVar("_Built")


class OfRegistry(Generic[_Built]):
    """Gives what is built from the registry in force, built anew when that is another one: `OfRegistry(source, Sites).current()`.

    Only the source travels between processes: what is built is not pickled.
    """

    def __init__(self, source: RegistrySource, build: Callable[[Registry], _Built]) -> None:
        self._source, self._build = source, build
        self._built: tuple[Registry, _Built] | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return OfRegistry, (self._source, self._build)

    def current(self) -> _Built:
        registry = self._source.current()
        if self._built is None or self._built[0] is not registry:
            self._built = registry, self._build(registry)
        return self._built[1]


def _check_known(setting_name: str, name: str | None, known: Iterable[str]) -> None:
    without = f"leave it out for a {setting_name} without a water balance"
    require(
        name is None or agronomy.plain(name) in map(agronomy.plain, known),
        f"{setting_name} must be one of {', '.join(known)}, not {name!r}; {without}",
    )


def _is_zone(name: str) -> bool:
    """Tells whether the zone is known; where no zone is, for want of tzdata, all are taken for known."""
    try:
        ZoneInfo(name)
    except (ValueError, OSError, ZoneInfoNotFoundError):
        return not available_timezones()
    return True


def _check_order(begin: datetime, end: datetime | None) -> None:
    require(end is None or begin < end, f"valid_to {end} is not after valid_from {begin}")


def _refuse_overlaps(section: str, rows: Iterable[tuple[str, datetime, datetime | None]]) -> None:
    spans: dict[str, list[tuple[datetime, datetime]]] = defaultdict(list)
    for name, begin, end in rows:
        spans[name].append((begin, end or _END))
    for name, times in spans.items():
        for (_, end), (begin, _) in pairwise(sorted(times)):
            require(end <= begin, f"{section}: two rows of {name!r} hold at {begin}")
