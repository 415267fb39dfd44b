"""Writes times as people of a place say them, seen from now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta

from program.local_time import duration, zone_of

_MINUTE, _DAY = timedelta(minutes=1), timedelta(days=1)


def common_zone(names: Iterable[str | None]) -> str | None:
    """Returns the zone that most have, None for UTC."""
    counted = Counter(name for name in names if name)
    return counted.most_common(1)[0][0] if counted else None


def when(at: datetime, now: datetime, place: str | None = None) -> str:
    """Writes `12:03`, `yesterday 12:03`, `tomorrow 12:03`, `26 Nov, 12:03`, or `26 Nov 2025` of another year."""
    local, today = at.astimezone(zone_of(place)), now.astimezone(zone_of(place))
    clock, days = f"{local:%H:%M}", (local.date() - today.date()).days
    named = {-1: f"yesterday {clock}", 0: clock, 1: f"tomorrow {clock}"}
    if days in named:
        return named[days]
    return f"{local.day} {local:%b}, {clock}" if local.year == today.year else f"{local.day} {local:%b} {local.year}"


def day(at: datetime, now: datetime, place: str | None = None) -> str:
    """Writes `today`, `tomorrow`, `by Saturday` of the next six days, or `by 26 Nov`."""
    local, today = at.astimezone(zone_of(place)), now.astimezone(zone_of(place))
    days = (local.date() - today.date()).days
    if days <= 0:
        return "today"
    return "tomorrow" if days == 1 else f"by {local:%A}" if days < 7 else f"by {local.day} {local:%b}"


def lately(at: datetime, now: datetime) -> str:
    """Writes `just now` of what was within a minute, else `4 min ago`."""
    return "just now" if now - at < _MINUTE else f"{ago(at, now)} ago"


def ago(at: datetime, now: datetime) -> str:
    """Writes how long ago that was: `4 min`, `3 h`, `2 days`, by one unit."""
    span = max(now - at, timedelta())
    if span >= 2 * _DAY:
        return f"{span.days} days"
    return " ".join(duration(span).split(" ")[:2])
