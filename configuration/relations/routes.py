"""Routes of the notifier and rules of the registry: a route names rules and sites that there are, and some alert can take it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import TYPE_CHECKING

from configuration.fleet import Finding, Fleet
from configuration.relations.names import unknown
from program.patterns import matches

if TYPE_CHECKING:
    from notify.config import Route
    from schemas.registry import RegistryFile
    from schemas.rules import Rule

_NO_SITE = ""
"""Where a gateway stands."""


def find(fleet: Fleet) -> Iterator[Finding]:
    for notifier, registry in product(fleet.notifiers, fleet.registries):
        for number, route in enumerate(notifier.config.routes, 1):
            for sentence in _sentences(route, registry.config, f"routes[{number}]"):
                yield Finding(notifier.file, f"{sentence} ({registry.file})")


def _sentences(route: Route, registry: RegistryFile, at: str) -> Iterator[str]:
    rules = unknown(f"{at}.rules", route.rules, {rule.name for rule in registry.rules}, "rule of [[rules]]")
    sites = unknown(f"{at}.sites", route.sites, {site.site_id for site in registry.sites}, "site of [[sites]]")
    nothing = f"{at}: no rule of [[rules]] has alerts of these severities, rules and sites together"
    yield from [*rules, *sites] or ([] if any(_can_take(rule, route, registry) for rule in registry.rules) else [nothing])


def _can_take(rule: Rule, route: Route, registry: RegistryFile) -> bool:
    at_a_site = any(matches(site, route.sites) for site in _sites(rule, registry))
    return rule.severity in route.severities and matches(rule.name, route.rules) and at_a_site


def _sites(rule: Rule, registry: RegistryFile) -> list[str]:
    """Where its alerts can be."""
    patterns = getattr(rule, "sites", None)
    if patterns is None or getattr(rule, "subject", "") == "gateway":
        return [_NO_SITE]
    return [site.site_id for site in registry.sites if matches(site.site_id, patterns)]
