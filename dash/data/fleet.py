"""How each gateway is: what it runs, what waits in it, and what its store lost."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from dash.data.grouping import grouped
from dash.data.warehouse import Questions, Row

_STORES = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """What became of the batches of a gateway's stores in 30 days: `lost` will not come, `waiting` are still in the store."""

    stores: int
    replaced: int
    missing: int
    lost: int
    waiting: int
    readings_lost: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """A gateway by its latest heartbeat of 30 days; None of what it never said. `newest` is the event time of its newest reading."""

    gateway_id: str
    name: str
    sites: tuple[str, ...]
    newest: datetime | None
    heartbeat_time: datetime | None
    received_time: datetime | None
    started_time: datetime | None
    version: str | None
    time_quality: str | None
    uplink_state: str | None
    broker_state: str | None
    batches_pending: int | None
    oldest_pending_time: datetime | None
    batches_dropped: int | None
    readings_dropped: int | None
    readings_lost: int | None
    store_bytes: int | None
    store_bytes_max: int | None
    devices_seen: int | None
    certificate_end_time: datetime | None
    inferences_failed: int | None
    models: Mapping[str, str]
    """Model -> SHA-256 of its file."""
    releases: Mapping[str, int]
    """Model -> number of the release that runs; of those that came by one."""
    refused: Mapping[str, str]
    """MODEL/NUMBER of a release that it does not run -> why."""
    store: Store | None
    """None where it was not asked for, or nothing was heard."""


def read(questions: Questions, now: datetime) -> tuple[Gateway, ...]:
    """Returns every gateway of the viewer's sites with its store, those that were heard longest ago first. Raises Unreachable."""
    questions.ahead("gateways", moment=now)
    return _gateways(questions, now, questions.query("stores", from_time=now - _STORES, to_time=now))


def states(questions: Questions, now: datetime) -> tuple[Gateway, ...]:
    """Returns the same without their stores, which take as long again. Raises Unreachable."""
    return _gateways(questions, now, ())


def _gateways(questions: Questions, now: datetime, stores: Iterable[Row]) -> tuple[Gateway, ...]:
    store_of_each = {row["gateway_id"]: row for row in stores}
    rows_of_each = grouped(questions.query("gateways", moment=now), "gateway_id")
    gateways = [_gateway(rows, store_of_each.get(gateway_id)) for gateway_id, rows in rows_of_each.items()]
    return tuple(sorted(gateways, key=lambda gateway: (gateway.heartbeat_time is not None, gateway.heartbeat_time, gateway.gateway_id)))


def _gateway(rows: list[Row], store: Row | None) -> Gateway:
    """Puts the rows of a gateway together, one for each site."""
    state = rows[0]
    made: dict[str, Any] = {
        "sites": tuple(row["site_id"] for row in rows if row["site_id"]),
        "newest": max((row["newest"] for row in rows if row["newest"]), default=None),
        "received_time": max((row["received_time"] for row in rows if row["received_time"]), default=None),
        "models": _object(state["models"]),
        "releases": _object(state["model_releases"]),
        "refused": _object(state["releases_refused"]),
        "store": Store(**{field.name: store[field.name] for field in fields(Store)}) if store else None,
    }
    return Gateway(**made, **{field.name: state[field.name] for field in fields(Gateway) if field.name not in made})


def _object(text: str | None) -> Mapping[str, Any]:
    """Reads a JSON object of a heartbeat; what is none, of a gateway gone mad, is empty."""
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
