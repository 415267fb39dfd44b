"""Defines what a rule's source observes of a subject, in the one form that the state machine of alerts knows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from schemas.registry import Registry

AHEAD = timedelta(minutes=5)
"""What is dated further ahead than this comes from a wrong clock. It may not make a rule wait until that time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """Is what was observed of a subject.

    `at` (its event time) and `known_at` (when it could be known at the earliest) are in microseconds since 1970.
    """

    rule: str
    subject: str
    at: int
    known_at: int
    revision: int = 0
    """Of results for the same event time the highest counts."""
    state: str | None = None
    """A word that the source's own condition judges; None where the value decides."""
    value: float | None = None
    threshold: float | None = None
    site_id: str | None = None
    device_id: str | None = None
    text: str
    """For a person: `Mill Field, soil-01: soil says stress`."""

    @property
    def key(self) -> str:
        return f"{self.rule}:{self.subject}"

    @property
    def order(self) -> tuple[int, int]:
        return self.at, self.revision


class SiteNames:
    """Knows the latest name of each site, for texts."""

    def __init__(self, registry: Registry) -> None:
        self._names = {site.site_id: site.name for site in sorted(registry.sites, key=lambda site: site.valid_from)}

    def of(self, site_id: str | None) -> str:
        return self._names.get(site_id or "", site_id or "no site")
