"""Cost: what the gateways send and what that is in a month by list prices, and what this page read."""

from __future__ import annotations

from typing import Any

from dash.data import cost, sites
from dash.data.cost import Line
from dash.pages.page import Asking, Page
from dash.pages.ranges import ranges
from presentation.wording import count, size

DAYS = 30


def _content(asking: Asking) -> dict[str, Any]:
    span = asking.span(DAYS)
    told = cost.read(asking.questions, span)
    names = sites.names(asking.questions, asking.now)
    most = max((day.billed_bytes for day in told.days), default=0)
    total = sum(line.usd or 0 for line in told.month)
    return {
        "headline": f"About {usd(total)} a month, at the rate of these days" if told.days else "Nothing was sent in this time",
        "lines": [(line.what, _amount(line)) for line in told.month],
        "sites": [
            (names.get(site.site_id or "", "of no known site"), site.gateways, count(site.rows), size(site.billed_bytes))
            for site in sorted(told.sites, key=lambda site: -site.billed_bytes)[:50]
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


def _amount(line: Line) -> str:
    return "not known here" if line.amount is None or line.usd is None else f"{size(line.amount)}, {usd(line.usd)}"


def usd(amount: float) -> str:
    """Writes USD so that little is not nothing."""
    return f"{amount:,.2f} USD" if amount >= 0.005 or not amount else "less than 0.01 USD"


PAGE = Page("/cost", "Cost", "cost.html.j2", _content)
