"""Says how fresh a page is: never that all is well of a gateway that is silent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from dash.data.freshness import Freshness, GatewayAge
from dash.pages.times import ago, when
from presentation.wording import counted
from program.names import gateway_called

SILENT_AFTER = timedelta(minutes=35)
"""A gateway speaks every quarter of an hour: two times missed."""
JUST_STARTED = timedelta(minutes=2)
"""In its first minutes a gateway still looks for its broker."""
MOST_TROUBLES = 3
"""So many are named at the head of a page; the fleet's page names all."""
_MINUTE = timedelta(minutes=1)
BACKLOG = 20
"""So many batches wait at times without anything being wrong."""


@dataclass(frozen=True, slots=True)
class Words:
    """Stands at the head of a page: when it was asked, and which gateways are not up to date; `all_well` if none is known to be late."""

    as_of: str
    troubles: tuple[str, ...]
    all_well: str


def words(freshness: Freshness, now: datetime, zone: str | None) -> Words:
    troubles = tuple(text for gateway in freshness.gateways if (text := _trouble(gateway, now)))
    more = len(troubles) - MOST_TROUBLES
    named = (*troubles[:MOST_TROUBLES], counted(more, "more is", "more are") + " not up to date: see the fleet") if more > 0 else troubles
    return Words(f"{when(freshness.as_of, now, zone)} {_where(zone)}", named, "" if troubles else _all_well(freshness, now))


def _where(zone: str | None) -> str:
    """Says whose clock it is: in Chicago for America/Chicago."""
    return f"in {zone.rpartition('/')[2].replace('_', ' ')}" if zone else "UTC"


def _trouble(gateway: GatewayAge, now: datetime) -> str | None:
    name = gateway_called(gateway.gateway_id, gateway.name)
    if gateway.last_heard is None:
        return f"{name} has not been heard in 30 days"
    if now - gateway.last_heard > SILENT_AFTER:
        return f"{name} has been silent for {ago(gateway.last_heard, now)}"
    if gateway.broker_state not in {None, "online"}:
        if gateway.started_time and now - gateway.started_time < JUST_STARTED:
            return f"{name} has just started, and has not heard its sensors yet"
        return f"{name} does not hear its sensors: the broker, which passes on what they send, is {_state(gateway.broker_state)}"
    if (gateway.batches_pending or 0) > BACKLOG:
        behind = f", {ago(gateway.newest, now)} behind" if gateway.newest and now - gateway.newest > SILENT_AFTER else ""
        return f"{name} is catching up{behind}: {gateway.batches_pending} batches wait"
    return None


def _state(state: str | None) -> str:
    return (state or "unknown").replace("cert_expired", "refusing it, its certificate is over").replace("_", " ")


def _all_well(freshness: Freshness, now: datetime) -> str:
    if not freshness.gateways:
        return "No gateway has been heard yet."
    oldest = min(gateway.last_heard for gateway in freshness.gateways if gateway.last_heard)
    number = len(freshness.gateways)
    time = "minute" if now - oldest < _MINUTE else ago(oldest, now)
    return f"{'The gateway was' if number == 1 else f'All {number} gateways were'} heard in the last {time}."
