"""Declares a file of cases for rules of alerts: what is observed when, and which rows are to come of it. `tinybeam alerts test` runs it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta

from program.settings import Settings, require, setting
from schemas.records import AlertChange

Offset = Annotated[str, Meta(pattern=r"^[0-9]{1,9}(\.[0-9]{1,6})?[smhd]$")]
"""Time since the start of the case: `90s`, `12m`, `1.5h`, `7d`."""

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_SUBJECTS = {"event": ("device",), "channel": ("site", "device"), "column": ("site",), "delivered_by": ("delivered_by",)}
"""What says of what kind something given is -> what may say of whom it is."""


class Given(Settings, frozen=True, kw_only=True):
    """Is one thing that the pipeline sees: an event, a mean of a site or a device, a column of a water balance, a gateway's word."""

    at: Annotated[Offset, setting("When it happened, since the start; of a mean the start of its window", example="12m")]
    arrives: Annotated[Offset | None, setting("When it reached the pipeline. None: at once", example="37m")] = None
    event: Annotated[str | None, setting("Name of the threshold or model whose state changed", example="frost")] = None
    device: Annotated[str | None, setting("The device, of an event or of the mean of an hour", example="soil-01")] = None
    state: Annotated[str | None, setting("Its state or label now", example="low")] = None
    channel: Annotated[str | None, setting("Channel of a mean of a site or a device", example="temperature")] = None
    unit: Annotated[str, setting("Unit of the mean, for rules that ask for one", example="degC")] = ""
    window_seconds: Annotated[Literal[60, 3600], setting("Length of the window that the mean is of")] = 3600
    column: Annotated[str | None, setting("Column of the water balance of a site", example="depletion_mm")] = None
    site: Annotated[str | None, setting("The site, of a mean or a column", example="mill-field")] = None
    value: Annotated[float | None, setting("The value; of an event it may be left out", example=-1.5)] = None
    delivered_by: Annotated[str | None, setting("A gateway that has delivered everything up to then", example="gateway-1")] = None
    gateway: Annotated[str, setting("Gateway that sent the event")] = "gateway"

    def __post_init__(self) -> None:
        kinds = [kind for kind in _SUBJECTS if getattr(self, kind) is not None]
        require(len(kinds) == 1, f"exactly one of {', '.join(_SUBJECTS)} is needed")
        subjects = _SUBJECTS[kinds[0]]
        known = sum(getattr(self, subject) is not None for subject in subjects)
        require(known == 1, f"{' or '.join(subjects)}: one is needed beside {kinds[0]}")
        require(self.event is None or self.state is not None, "state: it is missing beside event")
        require(self.value is not None or kinds[0] in ("event", "delivered_by"), f"value: it is missing beside {kinds[0]}")


class Expected(Settings, frozen=True, kw_only=True):
    """Is one row that is to come. What is left out may be anything."""

    rule: Annotated[str | None, setting("Name of its rule", example="frost")] = None
    subject: Annotated[str | None, setting("Device, site or gateway", example="soil-01")] = None
    state: Annotated[AlertChange, setting("What the row says")]
    at: Annotated[Offset | None, setting("Event time of what it shows", example="12m")] = None
    made: Annotated[Offset | None, setting("When the row is made", example="37m")] = None
    notified: Annotated[bool | None, setting("Whether people are notified of it")] = None
    value: Annotated[float | None, setting("Its value", example=-1.5)] = None
    message: Annotated[str | None, setting("A part of its message", example="Mill Field")] = None


class Case(Settings, frozen=True, kw_only=True):
    """Is one course of events."""

    name: Annotated[str, setting("What it shows, as a sentence", min_length=1, example="a frost that lasts is told once")]
    start: Annotated[Annotated[datetime, Meta(tz=True)], setting("Time from which the others count")] = datetime(2026, 6, 1, tzinfo=UTC)
    ends: Annotated[Offset | None, setting("Until when time passes after the last that is given. None: a day", example="2h")] = None
    given: Annotated[tuple[Given, ...], setting("What the pipeline sees", min_length=1)]
    expected: Annotated[tuple[Expected, ...], setting("The rows that come, in their order, and no others")] = ()


class CaseFile(Settings, frozen=True, kw_only=True):
    """Is the whole file."""

    registry: Annotated[Path | None, setting("The file with the rules. None: registry.toml beside this one")] = None
    cases: Annotated[tuple[Case, ...], setting("The cases", min_length=1)]


def span(offset: str) -> timedelta:
    """Reads an offset."""
    parts = re.fullmatch(r"([0-9.]+)([smhd])", offset)
    assert parts
    return timedelta(**{_UNITS[parts[2]]: float(parts[1])})
