"""Reads the registry of sites, devices and gateways, as of a time, and the rules of their alerts: one TOML file.

Rows of one device may not overlap in time, so that every event time has at most one site. Times without an offset are UTC.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Generic, Protocol, TypeVar

from msgspec import structs

from program import settings
from program.settings import Settings, require, setting
from schemas import rules
from schemas.records import Device, GatewayKey, Site
from schemas.registry_settings import DeviceSettings, GatewayKeySettings, SiteSettings
from schemas.rules import Rule

_END = datetime.max.replace(tzinfo=UTC)


class RegistryFile(Settings, frozen=True, kw_only=True):
    """Is the whole file."""

    sites: tuple[SiteSettings, ...] = ()
    devices: tuple[DeviceSettings, ...] = ()
    gateways: Annotated[tuple[GatewayKeySettings, ...], setting("Keys by which gateways sign their batches", since="0.3.0")] = ()
    rules: tuple[Rule, ...] = ()

    def __post_init__(self) -> None:
        known = {site.site_id for site in self.sites}
        for number, device in enumerate(self.devices, 1):
            require(device.site_id in known, f"devices[{number}].site_id: {device.site_id!r} is not in [[sites]]")
        for number, gateway in enumerate(self.gateways, 1):
            known_site = gateway.site_id is None or gateway.site_id in known
            require(known_site, f"gateways[{number}].site_id: {gateway.site_id!r} is not in [[sites]]")
        _refuse_repeats([(row.gateway_id, row.public_key) for row in self.gateways])
        _refuse_overlaps("sites", ((row.site_id, row.valid_from, row.valid_to) for row in self.sites))
        _refuse_overlaps("devices", ((row.device_id, row.valid_from, row.valid_to) for row in self.devices))
        rules.check_names(self.rules)


@dataclass(frozen=True, slots=True)
class Registry:
    """Knows sites, devices and gateways' keys, with the times for which each row holds, and rules, which hold always:
    `Registry.load(path).devices`.
    """

    sites: tuple[Site, ...]
    devices: tuple[Device, ...]
    rules: tuple[Rule, ...] = ()
    gateways: tuple[GatewayKey, ...] = ()

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
        gateways = tuple(GatewayKey(**structs.asdict(gateway)) for gateway in file.gateways)
        return cls(sites, devices, file.rules, gateways)


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


def _refuse_repeats(keys: Sequence[tuple[str, str]]) -> None:
    for number, key in enumerate(keys, 1):
        require(key not in keys[: number - 1], f"gateways[{number}].public_key: {key[0]!r} has it in a row before")


def _refuse_overlaps(section: str, rows: Iterable[tuple[str, datetime, datetime | None]]) -> None:
    spans: dict[str, list[tuple[datetime, datetime]]] = defaultdict(list)
    for name, begin, end in rows:
        spans[name].append((begin, end or _END))
    for name, times in spans.items():
        for (_, end), (begin, _) in pairwise(sorted(times)):
            require(end <= begin, f"{section}: two rows of {name!r} hold at {begin}")
