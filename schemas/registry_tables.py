"""Turns the registry into rows of sites_v1, devices_v1, gateways_v1 and rules_v1, and such rows, whoever wrote them, into a registry again.

What is unsound in the tables is refused as it is in a file, naming the table, the row and the column. Times are microseconds since 1970
here, so that every warehouse writes them alike.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

import msgspec

from program.settings import ConfigError, Settings, require
from schemas.arrow import Column, table_columns
from schemas.datasets import Datasets
from schemas.envelope import from_micros, micros
from schemas.records import TABLES, Device, GatewayKey, RuleDefinition, Site
from schemas.registry import Registry

RECORDS: Mapping[str, type] = {"sites": Site, "devices": Device, "gateways": GatewayKey, "rules": RuleDefinition}
"""The record of each section of the file."""

Entries = dict[str, list[dict[str, Any]]]
"""Section -> the rows of its table."""

_SECTION = re.compile(r"(sites|devices|gateways|rules)(?:\[(\d+)\]\.?)?(.*)", re.DOTALL)
_VARIABLE = re.compile(r"\$\{\w+\}")


def query(datasets: Datasets) -> str:
    """Returns the one statement that reads all four tables as they are at one moment: rows (section, entry)."""
    selects = (_select(datasets, section, record) for section, record in RECORDS.items())
    return " union all ".join(selects) + " order by section, entry"


def entries_of_rows(rows: Iterable[tuple[str, str]]) -> Entries:
    """Reads the answer to the query."""
    entries: Entries = {section: [] for section in RECORDS}
    for section, entry in rows:
        entries[section].append(json.loads(entry))
    return entries


def entries_of(registry: Registry) -> Entries:
    """Returns the rows that a registry is in the tables."""
    rules = [RuleDefinition(rule.name, json.dumps(_definition(rule), ensure_ascii=False)) for rule in registry.rules]
    rows: dict[str, Iterable[Any]] = {"sites": registry.sites, "devices": registry.devices, "gateways": registry.gateways, "rules": rules}
    return {section: [_entry(row) for row in of_section] for section, of_section in rows.items()}


def registry_of(entries: Entries) -> Registry:
    """Reads the rows as a registry. Raises ConfigError, naming table and row, for anything but a sound one."""
    content = {section: [_settings(section, entry) for entry in of_section] for section, of_section in entries.items()}
    try:
        return Registry.parse(content)
    except ConfigError as error:
        raise ConfigError(_at_its_row(str(error), entries)) from error


def plain(settings: Settings) -> dict[str, Any]:
    """Returns the settings that are not as by default, and the one by which a struct is told apart."""
    defaults = {field.name: _default(field) for field in msgspec.structs.fields(settings)}
    values: dict[str, Any] = msgspec.to_builtins(settings)
    return {name: value for name, value in values.items() if name not in defaults or getattr(settings, name) != defaults[name]}


def _select(datasets: Datasets, section: str, record: type) -> str:
    columns = ", ".join(_read(column) for column in table_columns(record))
    return f"select '{section}' as section, to_json_string(struct({columns})) as entry from {datasets.path(TABLES[record].name)}"


def _read(column: Column) -> str:
    value = f"unix_micros({column.name})" if column.type == "timestamp" else column.name
    return f"{value} as {column.name}"


def _entry(row: Any) -> dict[str, Any]:
    return {name: micros(value) if isinstance(value, datetime) else value for name, value in asdict(row).items()}


def _definition(rule: Settings) -> dict[str, Any]:
    return {name: value for name, value in plain(rule).items() if name != "name"}


def _default(field: msgspec.structs.FieldInfo) -> Any:
    return field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()


def _settings(section: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a row as the file would have it. Raises ConfigError."""
    where = _row(section, entry)
    times = {column.name for column in table_columns(RECORDS[section]) if column.type == "timestamp"}
    settings = {name: from_micros(value) if name in times else value for name, value in entry.items() if value is not None}
    if section == "rules":
        settings = _rule(where, entry)
    for name, value in settings.items():
        require(not (isinstance(value, str) and _VARIABLE.search(value)), f"{where}: {name} names a variable, which only a file can do")
    return settings


def _rule(where: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    try:
        definition = json.loads(entry["definition"])
    except ValueError as error:
        raise ConfigError(f"{where}: definition is not JSON: {error}") from error
    require(isinstance(definition, dict), f"{where}: definition must be a JSON object of settings, not {definition!r}")
    require(definition.get("name", entry["name"]) == entry["name"], f"{where}: definition has another name: {definition.get('name')!r}")
    return {**definition, "name": entry["name"]}


def _row(section: str, entry: Mapping[str, Any]) -> str:
    """Names a row: `devices_v1, row of 'soil-01' from 2026-03-01`."""
    identity = next(iter(table_columns(RECORDS[section]))).name
    begin = f" from {from_micros(entry['valid_from']):%Y-%m-%d %H:%M}" if entry.get("valid_from") else ""
    return f"{TABLES[RECORDS[section]].name}, row of {entry[identity]!r}{begin}"


def _at_its_row(sentence: str, entries: Entries) -> str:
    found = _SECTION.fullmatch(sentence)
    if not found:
        return sentence
    section, number, rest = found.groups()
    if number is None:
        return f"{TABLES[RECORDS[section]].name}{rest}"
    return f"{_row(section, entries[section][int(number) - 1])}: {rest}"
