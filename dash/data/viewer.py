"""Says who looks, and so what may be shown."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Viewer:
    """Sees the sites of `sites` and what stands on them; with None everything."""

    sites: tuple[str, ...] | None = None

    @property
    def all_sites(self) -> bool:
        return self.sites is None

    def sees(self, site_id: str | None) -> bool:
        """Returns whether this site may be shown; what has no site is for who sees everything."""
        return self.sites is None or site_id in self.sites
