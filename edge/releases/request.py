"""Defines what a gateway and the child that fetches releases for it say to each other."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import msgspec

from edge.config import Config
from edge.store.identity import high_water_file


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """Says what to fetch from where, for whom."""

    source: str
    root: Path
    directory: Path
    counters: tuple[Path, ...]
    """Files that remember the newest versions that were seen, each of them all of them: one may be lost, or restored with its folder."""
    gateway_id: str
    sites: tuple[str, ...]
    models: tuple[str, ...]
    fetch: bool = True
    """Else the source is asked, and nothing changes but what was seen."""

    def packed(self) -> str:
        """Returns it as the argument of a command."""
        return msgspec.json.encode(self, enc_hook=str).decode()

    @staticmethod
    def unpacked(argument: str) -> Request:
        return msgspec.json.decode(argument, type=Request, dec_hook=lambda kind, value: kind(value))


class Refreshed(msgspec.Struct, frozen=True, kw_only=True):
    """Says until when holds what the source said, and which models it speaks of."""

    expires: datetime
    models: tuple[str, ...]


def request_of(config: Config, models: tuple[str, ...], source: str | None = None, *, fetch: bool = True) -> Request | None:
    """Returns None for a gateway that trusts nobody with releases, or has nowhere to ask. `source` is another than its own."""
    settings, asked = config.releases, config.releases.source if source is None else source
    if settings.root is None or not asked:
        return None
    directory = directory_of(config)
    return Request(
        source=asked,
        root=settings.root,
        directory=directory,
        counters=(high_water_file(config.store_file).with_suffix(".releases"), directory / "seen.json"),
        gateway_id=config.gateway.id,
        sites=settings.sites,
        models=models,
        fetch=fetch,
    )


def directory_of(config: Config) -> Path:
    return config.releases.directory or config.gateway.state_dir / "releases"
