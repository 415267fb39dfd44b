"""Fleet: each gateway, and whether it is heard, keeps up, has room and may go on speaking."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from dash.data import fleet, sites
from dash.data.fleet import Gateway
from dash.pages.freshness import BACKLOG, SILENT_AFTER
from dash.pages.page import Asking, Page
from dash.pages.tasks import ORDER, Urgency
from dash.pages.times import ago, common_zone, lately, when
from presentation.wording import capital, count, counted, listed, size
from program.names import gateway_called

_CERTIFICATE = timedelta(days=14)
_FULL = 0.8
_ORDER: tuple[Urgency | None, ...] = (*ORDER, None)


@dataclass(frozen=True, slots=True)
class Card:
    """A gateway in words: the worst of its troubles gives the urgency; None where nothing is known to be wrong."""

    gateway_id: str
    name: str
    sites: tuple[str, ...]
    urgency: Urgency | None
    state: str
    troubles: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]


def card(gateway: Gateway, names: Mapping[str, str], now: datetime, zone: str | None) -> Card:
    """Writes times by the clock of a zone."""
    found = sorted(_troubles(gateway, now, zone), key=lambda trouble: _ORDER.index(trouble[0]))
    return Card(
        gateway.gateway_id,
        capital(gateway_called(gateway.gateway_id, gateway.name)),
        tuple(names.get(site, site) for site in gateway.sites),
        found[0][0] if found else None,
        _state(gateway, now),
        tuple(text for _, text in found),
        tuple(_facts(gateway, now, zone)),
    )


def _state(gateway: Gateway, now: datetime) -> str:
    """Says when it was heard, and no more: a gateway that is silent is not well, whatever it said last."""
    if gateway.received_time is None:
        return "not heard in 30 days"
    if now - gateway.received_time > SILENT_AFTER:
        return f"silent for {ago(gateway.received_time, now)}; what follows is what it said then"
    return f"heard {lately(gateway.received_time, now)}"


def _troubles(gateway: Gateway, now: datetime, zone: str | None) -> list[tuple[Urgency, str]]:
    found: list[tuple[Urgency, str]] = []
    if gateway.received_time is None or now - gateway.received_time > SILENT_AFTER:
        found.append(("now", "look whether it has power and network"))
    if gateway.broker_state not in {None, "online"}:
        found.append(("now", f"it does not hear its sensors: the broker is {gateway.broker_state}"))
    if gateway.certificate_end_time and gateway.certificate_end_time - now < _CERTIFICATE:
        over = gateway.certificate_end_time <= now
        found.append(
            ("now", "its certificate is over")
            if over
            else ("soon", f"its certificate ends {when(gateway.certificate_end_time, now, zone)}")
        )
    if gateway.store_bytes and gateway.store_bytes_max and gateway.store_bytes / gateway.store_bytes_max > _FULL:
        found.append(("soon", "its store is nearly full: data will be thinned, then dropped"))
    if gateway.time_quality not in {None, "synced", "corrected"}:
        found.append(("soon", "no time server has set its clock, so times may be wrong"))
    if (gateway.batches_pending or 0) > BACKLOG:
        found.append(("look", f"{count(gateway.batches_pending or 0)} batches wait to be sent"))
    if gateway.store and (gateway.store.lost or gateway.store.readings_lost):
        found.append(
            ("look", f"{count(gateway.store.lost)} batches and {count(gateway.store.readings_lost)} readings were lost in 30 days")
        )
    found.extend(("look", f"it does not run {name}: {reason}") for name, reason in gateway.refused.items())
    return found


def _facts(gateway: Gateway, now: datetime, zone: str | None) -> list[tuple[str, str]]:
    """Returns what is known, by name; what nobody knows is left out."""
    store = f"{size(gateway.store_bytes)} of {size(gateway.store_bytes_max)}" if gateway.store_bytes and gateway.store_bytes_max else None
    runs = [
        f"{model} release {gateway.releases[model]}" if model in gateway.releases else f"{model} as configured" for model in gateway.models
    ]
    facts = (
        ("newest reading", when(gateway.newest, now, zone) if gateway.newest else None),
        ("batches that wait", _number(gateway.batches_pending)),
        ("batches dropped since its store began", _number(gateway.batches_dropped)),
        ("devices heard since its start", _number(gateway.devices_seen)),
        ("windows without a verdict, as a model failed", _number(gateway.inferences_failed)),
        ("uplink", gateway.uplink_state),
        ("clock", gateway.time_quality),
        ("store", store),
        ("certificate ends", when(gateway.certificate_end_time, now, zone) if gateway.certificate_end_time else None),
        ("models", listed(runs)),
        ("software", gateway.version),
        ("running since", when(gateway.started_time, now, zone) if gateway.started_time else None),
    )
    return [(name, value) for name, value in facts if value]


def _number(number: int | None) -> str | None:
    return None if number is None else count(number)


def _content(asking: Asking) -> dict[str, Any]:
    names = sites.names(asking.questions, asking.now)
    zone = common_zone(sites.zones(asking.questions, asking.now))
    cards = [card(gateway, names, asking.now, zone) for gateway in fleet.read(asking.questions, asking.now)]
    cards.sort(key=lambda each: _ORDER.index(each.urgency))
    return {"headline": _headline(cards), "cards": cards}


def _headline(cards: list[Card]) -> str:
    if not cards:
        return "No gateway has been heard yet"
    troubled = sum(bool(each.troubles) for each in cards)
    number = counted(len(cards), "gateway")
    return capital(f"{troubled} of {number} to look at" if troubled else f"{number}, all heard")


PAGE = Page("/fleet", "Fleet", "fleet.html.j2", _content)
