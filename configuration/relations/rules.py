"""Rules of the registry: each watches something that there is, and can open an alert of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from configuration.fleet import Finding, Fleet
from configuration.relations import event_rules, irrigation_rules, kinds_of_channels, silence_rules, site_window_rules
from configuration.relations.names import unknown
from schemas.rules.deviation import DeviationRule
from schemas.rules.rate import RateRule
from schemas.rules.site_window import SiteWindowRule

if TYPE_CHECKING:
    from schemas.registry import RegistryFile
    from schemas.rules import Rule

_SOURCES: Mapping[str, Callable[[Any, RegistryFile, Fleet], Iterator[str]]] = {
    "event": event_rules.find,
    "irrigation": irrigation_rules.find,
    "silence": silence_rules.find,
    "site_window": site_window_rules.find,
}
"""What is found of a rule by what it watches: sentences that begin with its setting. Of others, names alone are checked."""


def find(fleet: Fleet) -> Iterator[Finding]:
    for registry in fleet.registries:
        for number, rule in enumerate(registry.config.rules, 1):
            for sentence in _sentences(rule, registry.config, fleet):
                yield Finding(registry.file, f"rules[{number}].{sentence}")


def _sentences(rule: Rule, registry: RegistryFile, fleet: Fleet) -> Iterator[str]:
    devices = {device.device_id for device in registry.devices}
    yield from unknown("devices", getattr(rule, "devices", ()), devices, "device of [[devices]]")
    yield from unknown("sites", getattr(rule, "sites", ()), {site.site_id for site in registry.sites}, "site of [[sites]]")
    if fleet.gateways:
        gateways = {gateway.config.gateway.id for gateway in fleet.gateways}
        yield from unknown("gateways", getattr(rule, "gateways", ()), gateways, "gateway.id")
    if isinstance(rule, SiteWindowRule | DeviationRule | RateRule):
        yield from kinds_of_channels.find(rule, registry, fleet)
    if rule.source in _SOURCES:
        yield from _SOURCES[rule.source](rule, registry, fleet)
