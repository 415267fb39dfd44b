"""Cost: what the gateways send and what that is in a month by list prices, and what this page read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dash.data import cost, fleet, sites
from dash.data.cost import Line
from dash.data.fleet import Gateway
from dash.pages.page import Asking, Page
from dash.pages.ranges import ranges
from presentation.wording import capital, count, listed, size
from program.names import gateway_called

DAYS = 30
_CENT = 0.005
"""So many USD are written as a cent."""


def _content(asking: Asking) -> dict[str, Any]:
    span = asking.span(DAYS)
    told = cost.read(asking.questions, span)
    names = sites.names(asking.questions, asking.now)
    heard = {gateway.gateway_id: gateway for gateway in fleet.states(asking.questions, asking.now)}
    most = max((day.billed_bytes for day in told.days), default=0)
    total = sum(line.usd or 0 for line in told.month)
    return {
        "headline": f"{capital(_about(total))} a month, at the rate of these days" if told.days else "Nothing was sent in this time",
        "lines": [(line.what, _amount(line)) for line in told.month],
        "gateways": [
            (*_named(heard.get(each.gateway_id), each.gateway_id, names), count(each.rows), size(each.billed_bytes))
            for each in sorted(told.gateways, key=lambda each: -each.billed_bytes)[:50]
        ],
        "days": [
            (f"{day.day.day} {day.day:%b}", round(100 * day.billed_bytes / most) if most else 0, count(day.rows), size(day.billed_bytes))
            for day in told.days[-92:]
        ],
        "kinds": [(kind, count(rows)) for kind, rows in sorted(told.rows_by_kind.items(), key=lambda item: -item[1])],
        "list_date": told.list_date,
        "export": "/export/uplink.csv",
        "ranges": ranges(asking, span, DAYS),
    }


def _named(gateway: Gateway | None, gateway_id: str, names: Mapping[str, str]) -> tuple[str, str]:
    """Returns how a gateway is called, and the sites that it hears."""
    if gateway is None:
        return gateway_id, "no known site"
    return capital(gateway_called(gateway_id, gateway.name)), listed([names.get(site, site) for site in gateway.sites]) or "no known site"


def _amount(line: Line) -> str:
    return "not known here" if line.amount is None or line.usd is None else f"{size(line.amount)}, {usd(line.usd)}"


def _about(amount: float) -> str:
    return f"about {usd(amount)}" if amount >= _CENT else usd(amount)


def usd(amount: float) -> str:
    """Writes USD so that little is not nothing."""
    return f"{amount:,.2f} USD" if amount >= _CENT or not amount else "less than 0.01 USD"


PAGE = Page("/cost", "Cost", "cost.html.j2", _content)
