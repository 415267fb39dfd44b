"""Knows a fleet, and up to which place its gateways may run a release, so that no more of them do than a share says.

A gateway's place is a hash, so that a share is met on average alone: of 1,000 gateways 69 lay below 5 %. Who rolls out knows which there
are, and writes for each share the place below which as many lie as the share allows. Gateways that nobody knows heed the same places.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from pathlib import Path

import msgspec

from program.settings import ConfigError
from releases import files
from releases.error import ReleaseError
from releases.rollout import EVERYONE, Reach, Rollout, place
from schemas.registry import Registry

Fleet = Mapping[str, Collection[str]]
"""Gateway -> the sites that it serves, as far as they are known."""


class _Row(msgspec.Struct, frozen=True):
    gateway_id: str
    site_id: str | None = None


def read(file: Path, now: datetime) -> Fleet:
    """Reads a registry (.toml), or rows as JSON that have a gateway_id, such as those of the view `gateways`. Raises ReleaseError."""
    try:
        return of_registry(Registry.load(file), now) if file.suffix == ".toml" else of_rows(files.read(file))
    except (ConfigError, ValueError, RecursionError) as error:
        raise ReleaseError(f"{file} names no gateways: {error}") from error


def of_registry(registry: Registry, now: datetime) -> Fleet:
    """Returns the gateways that have a key which was not revoked."""
    return _fleet((row.gateway_id, row.site_id) for row in registry.gateways if row.revoked_time is None or row.revoked_time > now)


def of_rows(content: bytes) -> Fleet:
    """Raises ValueError for what is no JSON array of such rows."""
    return _fleet((row.gateway_id, row.site_id) for row in msgspec.json.decode(content, type=list[_Row]))


def with_reaches(rollout: Rollout, fleet: Fleet, shares: Iterable[float]) -> Rollout:
    """Returns the rollout with up to which place gateways run the release at each share, and at its own.

    Those that are pinned count, those that are excluded are passed over. A share of less than one gateway is one.
    """
    is_pinned = {
        gateway: rollout.pinned.holds(gateway, sites) for gateway, sites in fleet.items() if not rollout.excluded.holds(gateway, sites)
    }
    pinned = sum(is_pinned.values())
    places = sorted(place(rollout.salt, gateway) for gateway, pin in is_pinned.items() if not pin)
    found = []
    for share in sorted({*shares, rollout.share, EVERYONE} - {0.0}):
        count = max(int(share * len(fleet) / EVERYONE) - pinned, 0 if pinned else 1)
        found.append(Reach(share=share, place=EVERYONE if share == EVERYONE or count >= len(places) else places[count]))
    return msgspec.structs.replace(rollout, reaches=tuple(found))


def running(rollout: Rollout, fleet: Fleet) -> list[str]:
    """Returns which gateways of a fleet run the release."""
    return [gateway for gateway, sites in fleet.items() if rollout.chooses(gateway, sites)]


def strangers(rollout: Rollout, fleet: Fleet) -> list[str]:
    """Returns the gateways and sites that a rollout names and a fleet does not have."""
    sites = {site for served in fleet.values() for site in served}
    groups = rollout.pinned, rollout.excluded
    return sorted(
        {name for group in groups for name in group.gateways} - fleet.keys() | {name for group in groups for name in group.sites} - sites
    )


def _fleet(gateways: Iterable[tuple[str, str | None]]) -> Fleet:
    found: dict[str, set[str]] = {}
    for gateway, site in gateways:
        found.setdefault(gateway, set()).update(filter(None, [site]))
    return found
