"""Defines what is remembered of one rule and subject, as versioned bytes."""

from __future__ import annotations

import msgspec

from pipeline.alerts.observation import Observation
from pipeline.state import StateFormat

NEVER = (-(2**62), 0)
"""The order of what was never observed."""


class AlertState(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """Is the state of one rule and subject; times in microseconds since 1970. A new field comes last, and with a default."""

    order: tuple[int, int] = NEVER
    """Of the last observation in order."""
    met_since: int | None = None
    """From when on the condition was met, if it is."""
    holds: bool = False
    """Whether it was met for as long as the rule asks."""
    last: Observation | None = None
    """The last observation, while the condition is met."""
    last_is_old: bool = False
    """Whether nobody is to be notified by that one alone."""
    is_open: bool = False
    """Whether the rows say so."""
    opened: int = 0
    ended: int | None = None
    revision: int = -1
    notified: bool = False
    """Whether people were notified of a row of the alert."""
    known: bool = False
    """Whether what they were notified of last is that it is open."""
    source: str = ""
    severity: str = ""
    shown: Observation | None = None
    """What the last row shows."""
    pending: Observation | None = None
    """What the next row will show when the cooldown is over, and whether it was old when it was observed."""
    pending_is_old: bool = False
    cooldown_start: int | None = None
    cooldown_rows: int = 0
    backlog: tuple[Observation, ...] = ()
    """What came so late that more of its time may come: it waits to be put in order."""
    backlog_due: int | None = None
    """Until when it waits, in processing time."""
    spans: tuple[tuple[int, int], ...] = ()
    """When the last alerts opened and ended, so that none is written twice."""


ALERT = StateFormat("alert", 1, AlertState)
