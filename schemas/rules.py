"""The rules of alerts: `[[rules]]` of the registry file -> frozen rules, wholly checked. What each setting does is in docs/alerts.md.

A rule watches one source; a setting that its source does not know is refused, as a missing one is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from program.dataclass_settings import build
from program.settings import ConfigError
from schemas.envelope import ID_PATTERN
from schemas.records import Severity

SEVERITIES = tuple(Severity)
COLUMNS = ("need_mm", "days_until_stress", "depletion_mm")
"""What an irrigation rule can watch."""
WINDOWS = (60, 3600)
LONGEST_MESSAGE = 500

_OF_ALL = ("name", "source", "sites", "severity", "cooldown_seconds", "historical_seconds", "message")
_LIMITS = ("below", "above", "hysteresis")
_NEEDED = {
    "event": ("event", "opens"),
    "site_window": ("channel", "window_seconds"),
    "irrigation": ("column",),
    "silence": ("silent_seconds",),
}
_KNOWN = {
    "event": ("event", "opens", "devices"),
    "site_window": ("channel", "window_seconds", *_LIMITS),
    "irrigation": ("column", *_LIMITS),
    "silence": ("silent_seconds", "subject", "devices", "gateways"),
}
"""Source -> the settings it needs, and all of its own."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. What is not of its source is at its default. Patterns are those of a shell: `*`, `?`, `[a-c]`."""

    name: str
    source: str
    severity: str = "warning"
    devices: tuple[str, ...] = ("*",)
    sites: tuple[str, ...] = ("*",)
    gateways: tuple[str, ...] = ("*",)
    cooldown_seconds: int = 1800
    historical_seconds: int = 900
    message: str = ""
    event: str | None = None
    opens: tuple[str, ...] = ()
    channel: str | None = None
    window_seconds: int | None = None
    column: str | None = None
    below: float | None = None
    above: float | None = None
    hysteresis: float = 0.0
    silent_seconds: int | None = None
    subject: str = "device"

    def watches_device(self, device_id: str, site_id: str | None) -> bool:
        return _fits(device_id, self.devices) and self.watches_site(site_id)

    def watches_site(self, site_id: str | None) -> bool:
        return _fits(site_id or "", self.sites)

    def watches_gateway(self, gateway_id: str) -> bool:
        return _fits(gateway_id, self.gateways)


def parse(rows: Any) -> tuple[Rule, ...]:
    """The rules of parsed TOML, in its order. Raises ConfigError, naming rule and setting."""
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ConfigError("rules must be a list of tables: write [[rules]]")
    made = tuple(_rule(row, number) for number, row in enumerate(rows, 1))
    for rule in made:
        _demand([one.name for one in made].count(rule.name) == 1, f"[[rules]]: the name {rule.name!r} stands twice")
    return made


def _rule(row: dict[str, Any], number: int) -> Rule:
    where = f"[[rules]] number {number}"
    made: Rule = build(Rule, row, where, Path())
    where = f"[[rules]] {made.name!r}"
    _demand(ID_PATTERN.fullmatch(made.name), f"{where}: name must be letters, digits, dot, dash or underscore (at most 64)")
    _demand(made.source in _KNOWN, f"{where}: source must be one of {', '.join(_KNOWN)}, not {made.source!r}")
    foreign = row.keys() - {*_OF_ALL, *_KNOWN[made.source]}
    _demand(not foreign, f"{where}: {min(foreign, default='')} is no setting of source {made.source!r}")
    for name in _NEEDED[made.source]:
        _demand(name in row, f"{where}: {name} is missing: source {made.source!r} needs it")
    _check_all(made, where)
    _CHECKS[made.source](made, where)
    return made


def _check_all(rule: Rule, where: str) -> None:
    _demand(rule.severity in SEVERITIES, f"{where}: severity must be one of {', '.join(SEVERITIES)}, not {rule.severity!r}")
    _demand(rule.cooldown_seconds >= 1, f"{where}: cooldown_seconds must be at least 1, not {rule.cooldown_seconds}")
    _demand(rule.historical_seconds >= 1, f"{where}: historical_seconds must be at least 1, not {rule.historical_seconds}")
    printable = rule.message.isprintable() and len(rule.message) <= LONGEST_MESSAGE
    _demand(printable, f"{where}: message must be one line of at most {LONGEST_MESSAGE} characters")
    for name in ("devices", "sites", "gateways"):
        _demand(getattr(rule, name), f"{where}: {name} must hold at least one pattern")


def _check_event(rule: Rule, where: str) -> None:
    _demand(rule.opens, f"{where}: opens must name at least one state")


def _check_window(rule: Rule, where: str) -> None:
    _demand(rule.window_seconds in WINDOWS, f"{where}: window_seconds must be 60 or 3600, not {rule.window_seconds}")
    _check_limits(rule, where)


def _check_irrigation(rule: Rule, where: str) -> None:
    _demand(rule.column in COLUMNS, f"{where}: column must be one of {', '.join(COLUMNS)}, not {rule.column!r}")
    _check_limits(rule, where)


def _check_limits(rule: Rule, where: str) -> None:
    _demand((rule.below is None) != (rule.above is None), f"{where}: exactly one of below and above is needed")
    _demand(rule.hysteresis >= 0, f"{where}: hysteresis must not be negative")


def _check_silence(rule: Rule, where: str) -> None:
    _demand(rule.subject in ("device", "gateway"), f"{where}: subject must be device or gateway, not {rule.subject!r}")
    _demand((rule.silent_seconds or 0) >= 1, f"{where}: silent_seconds must be at least 1, not {rule.silent_seconds}")
    if rule.subject == "gateway":
        of_devices = rule.devices != ("*",) or rule.sites != ("*",)
        _demand(not of_devices, f"{where}: a gateway stands on no site: name gateways instead of devices or sites")


_CHECKS = {"event": _check_event, "site_window": _check_window, "irrigation": _check_irrigation, "silence": _check_silence}


def _fits(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _demand(held: object, otherwise: str) -> None:
    if not held:
        raise ConfigError(otherwise)
