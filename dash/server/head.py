"""Says what stands at the head and foot of every page: where one is, how fresh it is, who looks, and what it cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from dash.data import freshness
from dash.data.sites import zones as site_zones
from dash.data.warehouse import Questions
from dash.pages.catalogue import PAGES
from dash.pages.freshness import words
from dash.pages.page import Page
from dash.pages.times import common_zone
from dash.server.sign_in import Person

_NAVIGATION = [page for page in PAGES if page.title]
BARE: Mapping[str, Any] = {
    "navigation": _NAVIGATION,
    "here": "",
    "fresh": None,
    "bytes_read": None,
    "person": None,
}
"""What the shell is filled with where nothing was asked."""


def ahead(questions: Questions, now: datetime) -> None:
    """Begins to ask what the head says."""
    questions.ahead("sites", "gateways", moment=now)


def head(questions: Questions, now: datetime, page: Page, person: Person) -> dict[str, Any]:
    """Returns what the shell is filled with, after the page's own content was asked for. Raises Unreachable."""
    zones = site_zones(questions, now)
    zone = common_zone(zones)
    fresh = words(freshness.read(questions, now), now, zone)
    return {
        "navigation": _NAVIGATION,
        "here": _section(page),
        "now": now,
        "fresh": fresh,
        "zone": zone,
        "zone_words": _zone_words(zone, zones),
        "bytes_read": questions.bytes_read,
        "person": person.name,
    }


def _zone_words(zone: str | None, zones: Sequence[str | None]) -> str:
    """Says whose clock times are by: a site's own, and for all else the one that most sites have."""
    most = f"of {zone}" if zone else "UTC"
    return f"{most}, but those of a site elsewhere, which are of its own clock" if len(set(zones)) > 1 else most


def _section(page: Page) -> str:
    """Returns the page of the navigation that a page belongs to: `/fields` of `/fields/{site_id}`."""
    return page.path.partition("/{")[0]
