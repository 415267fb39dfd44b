"""What the uplink sends and what that costs by list prices, and what looking at the dash has read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from costs import prices
from costs.prices import Price, Prices
from costs.stored import STORED_BYTES
from dash.data.grouping import grouped
from dash.data.span import Span
from dash.data.warehouse import Questions, Row

_DAY, _MONTH = timedelta(days=1), timedelta(days=30)


@dataclass(frozen=True, slots=True)
class UplinkDay:
    """What the gateways sent on a day. `billed_bytes` counts a request as 1000 bytes at least."""

    day: datetime
    batches: int
    rows: int
    body_bytes: int
    billed_bytes: int


@dataclass(frozen=True, slots=True)
class GatewayUplink:
    """What a gateway sent in the span."""

    gateway_id: str
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
    gateways: tuple[GatewayUplink, ...]
    rows_by_kind: Mapping[str, int]
    month: tuple[Line, ...]
    list_date: str


def read(questions: Questions, span: Span) -> Cost:
    """Raises Unreachable."""
    rows = questions.query("uplink", from_time=span.begin, to_time=span.end)
    by_day, by_gateway = grouped(rows, "day"), grouped(rows, "gateway_id")
    kinds: Counter[str] = Counter()
    for row in rows:
        kinds.update({kind["kind"]: kind["row_count"] for kind in row["kinds"]})
    listed = prices.load()
    return Cost(
        days=tuple(
            UplinkDay(day, *(_sum(of_day, name) for name in ("batches", "row_count", "body_bytes", "billed_bytes")))
            for day, of_day in sorted(by_day.items())
        ),
        gateways=tuple(
            GatewayUplink(gateway, _sum(of_gateway, "row_count"), _sum(of_gateway, "billed_bytes"))
            for gateway, of_gateway in by_gateway.items()
        ),
        rows_by_kind=kinds,
        month=_month(rows, kinds, span, questions.bytes_read_by_all, listed),
        list_date=listed.pubsub.read,
    )


def _month(rows: tuple[Row, ...], kinds: Mapping[str, int], span: Span, asked_bytes: int | None, listed: Prices) -> tuple[Line, ...]:
    """Takes the span for a month, from the first day on which something was sent; what was asked is as it is, for nobody knows how often
    somebody looks.
    """
    first = max(span.begin, min((row["day"] for row in rows), default=span.begin))
    times = _MONTH / max(span.end - first, _DAY)
    sent = _sum(rows, "billed_bytes") * times
    kept = (
        sum(count * STORED_BYTES.get(kind, STORED_BYTES["summaries"]) for kind, count in kinds.items())
        + _sum(rows, "batches") * STORED_BYTES["batches"]
    )
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
