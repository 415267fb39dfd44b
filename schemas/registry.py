"""The registry of sites and devices, as of a time, and the rules of their alerts: one TOML file.

Rows of one device may not overlap in time, so that every event time has at most one site. Times without an offset are UTC.
"""

from __future__ import annotations

import tomllib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar, get_args, get_type_hints

from program.settings import ConfigError
from schemas import rules
from schemas.envelope import ID_PATTERN
from schemas.records import Device, Site
from schemas.rules import Rule

_Row = TypeVar("_Row", Device, Site)
_ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)
_END = datetime.max.replace(tzinfo=UTC)


class RegistryError(ValueError):
    """The registry file is wrong; the text names the file, the row and the setting."""


@dataclass(frozen=True, slots=True)
class Registry:
    """Sites and devices with the times for which each row holds, and rules, which hold always."""

    sites: tuple[Site, ...]
    devices: tuple[Device, ...]
    rules: tuple[Rule, ...] = ()

    @classmethod
    def load(cls, path: Path) -> Registry:
        """Raises RegistryError, naming the file, for anything but a sound registry."""
        try:
            content = tomllib.loads(path.read_text())
        except FileNotFoundError as error:
            raise RegistryError(f"{path}: there is no such registry file") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise RegistryError(f"{path}: not valid TOML: {error}") from error
        try:
            return cls.parse(content)
        except RegistryError as error:
            raise RegistryError(f"{path}: {error}") from error

    @classmethod
    def parse(cls, content: dict[str, Any]) -> Registry:
        """From parsed TOML. Raises RegistryError."""
        if unknown := content.keys() - {"sites", "devices", "rules"}:
            raise RegistryError(f"unknown section {min(unknown)!r}; known are [[sites]], [[devices]] and [[rules]]")
        made = cls(_rows(content, "sites", Site), _rows(content, "devices", Device), _rules(content))
        known = {site.site_id for site in made.sites}
        for device in made.devices:
            if device.site_id not in known:
                raise RegistryError(f"device {device.device_id!r} stands on site {device.site_id!r}, which is not in [[sites]]")
        _refuse_overlaps("device", ((row.device_id, row.valid_from, row.valid_to) for row in made.devices))
        _refuse_overlaps("site", ((row.site_id, row.valid_from, row.valid_to) for row in made.sites))
        return made

    def site_of(self, device_id: str, time: datetime) -> str | None:
        """The site of a device at a time, None if it stood on none that is known."""
        for device in self.devices:
            if device.device_id == device_id and device.valid_from <= time < (device.valid_to or _END):
                return device.site_id
        return None


def _rules(content: dict[str, Any]) -> tuple[Rule, ...]:
    try:
        return rules.parse(content.get("rules", []))
    except ConfigError as error:
        raise RegistryError(str(error)) from error


def _rows(content: dict[str, Any], section: str, record: type[_Row]) -> tuple[_Row, ...]:
    rows = content.get(section, [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise RegistryError(f"{section} must be a list of tables: write [[{section}]]")
    return tuple(_row(row, f"[[{section}]] number {number}", record) for number, row in enumerate(rows, 1))


def _row(row: dict[str, Any], where: str, record: type[_Row]) -> _Row:
    names = [field.name for field in fields(record)]
    if unknown := row.keys() - set(names):
        raise RegistryError(f"{where}: unknown setting {min(unknown)!r}; known are {', '.join(names)}")
    hints = get_type_hints(record)
    return record(**{name: _value(row.get(name), f"{where}: {name}", name, hints[name]) for name in names})


def _value(value: Any, where: str, name: str, hint: Any) -> Any:
    wanted = [kind for kind in get_args(hint) or (hint,) if kind is not type(None)]
    if value is None:
        return _absent(where, name, nullable=len(wanted) < len(get_args(hint) or (hint,)))
    if wanted == [datetime]:
        return _time(value, where)
    if wanted == [float] and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if type(value) not in wanted:
        raise RegistryError(f"{where} must be {wanted[0].__name__}, not {value!r}")
    if name.endswith("_id") and not ID_PATTERN.fullmatch(value):
        raise RegistryError(f"{where} must be letters, digits, dot, dash or underscore (at most 64), not {value!r}")
    return value


def _absent(where: str, name: str, *, nullable: bool) -> datetime | None:
    if name == "valid_from":
        return _ALWAYS
    if not nullable:
        raise RegistryError(f"{where} is missing")
    return None


def _time(value: Any, where: str) -> datetime:
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day, tzinfo=UTC)
    if not isinstance(value, datetime):
        raise RegistryError(f"{where} must be a date or a time, not {value!r}")
    return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


def _refuse_overlaps(what: str, rows: Iterable[tuple[str, datetime, datetime | None]]) -> None:
    spans: dict[str, list[tuple[datetime, datetime]]] = defaultdict(list)
    for name, begin, end in rows:
        if begin >= (end or _END):
            raise RegistryError(f"{what} {name!r}: valid_to {end} is not after valid_from {begin}")
        spans[name].append((begin, end or _END))
    for name, held in spans.items():
        held.sort()
        for (_, end), (begin, _) in pairwise(held):
            if begin < end:
                raise RegistryError(f"{what} {name!r}: two rows hold at {begin}")
