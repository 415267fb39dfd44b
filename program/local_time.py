"""Writes times as the people of a place read them, and how long something lasts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_UNITS = (("d", timedelta(days=1)), ("h", timedelta(hours=1)), ("min", timedelta(minutes=1)), ("s", timedelta(seconds=1)))


def zone_of(name: str | None) -> tzinfo:
    """Returns a time zone by its IANA name; UTC without one, or for one that this machine does not know. As a string it is its name."""
    try:
        return ZoneInfo(name) if name else UTC
    except (ValueError, OSError, ZoneInfoNotFoundError):
        return UTC  # a machine without tzdata, or a name from elsewhere: UTC is right, too


def moment(at: datetime, zone: str | None) -> str:
    """Writes a time to the minute: `06:20, 14 May 2026, Europe/Berlin`. Without a zone, or one that this machine knows, it is UTC."""
    known = zone_of(zone)
    local = at.astimezone(known)
    return f"{local:%H:%M}, {local.day} {local:%b} {local.year}, {known}"


def clock(at: datetime, zone: str | None) -> str:
    """Writes a time to the second: `2026-05-14 06:20:00 Europe/Berlin`."""
    known = zone_of(zone)
    return f"{at.astimezone(known):%Y-%m-%d %H:%M:%S} {known}"


def duration(span: timedelta) -> str:
    """Writes how long something lasts, by its two largest units: `3 h 20 min`. Parts of a second are left out."""
    parts, rest = [], max(span, timedelta())
    for unit, length in _UNITS:
        count, rest = divmod(rest, length)
        if count:
            parts.append(f"{count} {unit}")
        elif parts:
            break
    return " ".join(parts[:2]) or "0 s"
