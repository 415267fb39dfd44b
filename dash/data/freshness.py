"""How fresh all of it is: for the head of every page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from dash.data.grouping import grouped
from dash.data.warehouse import Questions, Row


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayAge:
    """One gateway that hears a device of the viewer's sites, or is registered. `newest` is the event time of the newest that came of it."""

    gateway_id: str
    name: str
    sites: tuple[str, ...]
    last_heard: datetime | None
    """When the newest of it arrived, a heartbeat or a batch; None if never in 30 days."""
    newest: datetime | None
    started_time: datetime | None
    batches_pending: int | None
    uplink_state: str | None
    broker_state: str | None


@dataclass(frozen=True, slots=True)
class Freshness:
    """`as_of` is when the oldest kept answer was asked."""

    as_of: datetime
    gateways: tuple[GatewayAge, ...]


def read(questions: Questions, now: datetime) -> Freshness:
    """Returns every gateway of the viewer's sites, those that were heard longest ago first. Raises Unreachable."""
    rows_of_each = grouped(questions.query("gateways", moment=now), "gateway_id")
    gateways = map(_age, rows_of_each.values())
    silent_first = sorted(gateways, key=lambda gateway: (gateway.last_heard is not None, gateway.last_heard, gateway.gateway_id))
    return Freshness(questions.oldest or now, tuple(silent_first))


def _age(rows: list[Row]) -> GatewayAge:
    """Puts the rows of a gateway together, one for each site."""
    heartbeat = rows[0]
    arrived = max((row["received_time"] for row in rows if row["received_time"]), default=None)
    # Nothing is newer than its arrival, whatever a gateway's clock says.
    events = [min(time, arrived) for row in rows for time in (row["newest"], row["heartbeat_time"]) if time and arrived]
    return GatewayAge(
        gateway_id=heartbeat["gateway_id"],
        name=heartbeat["name"],
        sites=tuple(row["site_id"] for row in rows if row["site_id"]),
        last_heard=arrived,
        newest=max(events, default=None),
        started_time=heartbeat["started_time"],
        batches_pending=heartbeat["batches_pending"],
        uplink_state=heartbeat["uplink_state"],
        broker_state=heartbeat["broker_state"],
    )
