"""Rules that hold a mean against a limit watch numbers: the mean of a state or of a counter says nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from configuration.fleet import Fleet
from configuration.relations.devices import present

if TYPE_CHECKING:
    from schemas.registry import RegistryFile
    from schemas.rules.deviation import DeviationRule
    from schemas.rules.rate import RateRule
    from schemas.rules.site_window import SiteWindowRule


def find(rule: SiteWindowRule | DeviationRule | RateRule, registry: RegistryFile, fleet: Fleet) -> Iterator[str]:
    found = {
        (gateway.config.gateway.id, sensors.name): kind.WORD
        for device_id, site_id in present(registry).items()
        if _watches(rule, device_id, site_id)
        for gateway in fleet.gateways
        if (sensors := gateway.config.sensors_of(device_id)) and (kind := sensors.kinds.get(rule.channel))
    }
    for (gateway_id, name), word in found.items():
        yield f"channel: {rule.channel!r} of {gateway_id}'s {name!r} is a {word}, whose mean says nothing; the view {word}s has what it did"


def _watches(rule: SiteWindowRule | DeviationRule | RateRule, device_id: str, site_id: str | None) -> bool:
    if hasattr(rule, "watches_device"):
        return rule.watches_device(device_id, site_id)
    return site_id is not None and rule.watches(site_id)
