"""Writes a registry as the TOML file that reads as this registry again."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime, time
from typing import Any

from schemas.registry import Registry
from schemas.registry_settings import ALWAYS
from schemas.registry_tables import plain

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def toml(registry: Registry) -> str:
    """Returns the file's text; what is as by default is left out."""
    sites = [_without_defaults(asdict(site)) for site in registry.sites]
    devices = [_without_defaults(asdict(device)) for device in registry.devices]
    gateways = [_without_defaults(asdict(gateway)) for gateway in registry.gateways]
    rules = [{"name": rule.name, **plain(rule)} for rule in registry.rules]
    return "\n".join(_lines({"sites": sites, "devices": devices, "gateways": gateways, "rules": rules}))


def _without_defaults(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if value is not None and not (name == "valid_from" and value == ALWAYS)}


def _lines(content: Mapping[str, list[dict[str, Any]]]) -> Iterator[str]:
    for section, tables in content.items():
        for table in tables:
            yield f"[[{section}]]"
            yield from (f"{_key(name)} = {_value(value)}" for name, value in table.items())
            yield ""


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else json.dumps(name, ensure_ascii=False)


def _value(value: Any) -> str:
    if isinstance(value, datetime):
        return _time(value.astimezone(UTC))
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_key(name)} = {_value(inner)}" for name, inner in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_value, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d}" if at.timetz() == time(tzinfo=UTC) else at.isoformat()
