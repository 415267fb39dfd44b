"""How fresh all of it is: for the head of every page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayAge:
    """One gateway that hears a device of the viewer's sites, or is registered. `newest` is the event time of the newest that came of it."""

    gateway_id: str
    sites: tuple[str, ...]
    last_heard: datetime | None
    """When the newest of it arrived, a heartbeat or a batch; None if never in 30 days."""
    newest: datetime | None
    batches_pending: int | None
    uplink_state: str | None
    broker_state: str | None


@dataclass(frozen=True, slots=True)
class Freshness:
    """`as_of` is when the oldest kept answer was asked."""

    as_of: datetime
    gateways: tuple[GatewayAge, ...]
