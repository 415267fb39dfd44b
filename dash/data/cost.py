"""What the uplink sends and what that costs by list prices, and what looking at the dash has read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from costs import prices
from costs.prices import Price, Prices
from costs.stored import STORED_BYTES
from dash.data.grouping import grouped
from dash.data.span import Span
from dash.data.warehouse import Questions, Row

_MONTH = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class UplinkDay:
    """What the gateways sent on a day. `billed_bytes` counts a request as 1000 bytes at least."""

    day: datetime
    batches: int
    rows: int
    body_bytes: int
    billed_bytes: int


@dataclass(frozen=True, slots=True)
class SiteUplink:
    """What the gateways of a site sent in the span; `site_id` is None of gateways of no known site."""

    site_id: str | None
    gateways: int
    rows: int
    billed_bytes: int


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the month's bill as it would be at the rate of the span, by list price, before what is free; None where nobody counts."""

    what: str
    amount: float | None
    unit: str
    usd: float | None


@dataclass(frozen=True, slots=True)
class Cost:
    """`list_date` is the day of the list of prices."""

    days: tuple[UplinkDay, ...]
    sites: tuple[SiteUplink, ...]
    rows_by_kind: dict[str, int]
    month: tuple[Line, ...]
    list_date: str


def read(questions: Questions, span: Span) -> Cost:
    """Raises Unreachable."""
    rows = questions.query("uplink", from_time=span.begin, to_time=span.end)
    by_day, by_site, by_kind = grouped(rows, "day"), grouped(rows, "site_id"), grouped(rows, "kind")
    kinds = {kind: _sum(of_kind, "row_count") for kind, of_kind in by_kind.items()}
    listed = prices.load()
    return Cost(
        days=tuple(
            UplinkDay(day, *(_sum(of_day, name) for name in ("batches", "row_count", "body_bytes", "billed_bytes")))
            for day, of_day in sorted(by_day.items())
        ),
        sites=tuple(
            SiteUplink(site, max(row["gateways"] for row in of_site), _sum(of_site, "row_count"), _sum(of_site, "billed_bytes"))
            for site, of_site in by_site.items()
        ),
        rows_by_kind=kinds,
        month=_month(rows, kinds, span, questions.bytes_read_by_all, listed),
        list_date=listed.pubsub.read,
    )


def _month(rows: tuple[Row, ...], kinds: dict[str, int], span: Span, asked_bytes: int | None, listed: Prices) -> tuple[Line, ...]:
    """Takes the span for a month; what was asked is as it is, for nobody knows how often somebody looks."""
    times = _MONTH / (span.end - span.begin)
    sent = _sum(rows, "billed_bytes") * times
    kept = sum(count * STORED_BYTES.get(kind, 0) for kind, count in kinds.items()) + _sum(rows, "batches") * STORED_BYTES["batches"]
    amounts = (
        ("sent through Pub/Sub", sent, listed.pubsub),
        ("rows kept for a month", times * kept, listed.active_storage),
        ("read by this dash since it started", asked_bytes, listed.query),
    )
    return tuple(Line(what, amount, "byte", _usd(amount, price)) for what, amount, price in amounts)


def _usd(amount: float | None, price: Price) -> float | None:
    return None if amount is None else amount / prices.UNITS[price.per] * price.usd


def _sum(rows: list[Row] | tuple[Row, ...], name: str) -> int:
    return sum(row[name] for row in rows)
