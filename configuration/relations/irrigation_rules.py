"""Rules of irrigation: a site that they watch is a field, with soil and crop."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from configuration.fleet import Fleet

if TYPE_CHECKING:
    from schemas.registry import RegistryFile
    from schemas.rules.irrigation import IrrigationRule


def find(rule: IrrigationRule, registry: RegistryFile, fleet: Fleet) -> Iterator[str]:
    if not any(site.soil and site.crop and rule.watches(site.site_id) for site in registry.sites):
        yield "sites: none of them has soil and crop, so none has a water balance"
