"""Viewers of the live page and sites of the registry: who is bound to sites sees some that there are."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from configuration.fleet import Finding, Fleet
from configuration.relations.names import unknown


def find(fleet: Fleet) -> Iterator[Finding]:
    for dash, registry in product(fleet.dashes, fleet.registries):
        known = {site.site_id for site in registry.config.sites}
        for number, viewer in enumerate(dash.config.viewers, 1):
            for sentence in unknown(f"viewers[{number}].sites", viewer.sites or (), known, "site of [[sites]]"):
                yield Finding(dash.file, f"{sentence} ({registry.file})")
