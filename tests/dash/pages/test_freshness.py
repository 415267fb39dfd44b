"""The head of a page names the gateways that are late, of many a few, and hides none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from dash.data.freshness import Freshness, GatewayAge
from dash.pages.freshness import words

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


def silent(number: int) -> GatewayAge:
    return GatewayAge(
        gateway_id=f"gateway-{number}",
        name=f"Gateway in barn {number}",
        sites=("north",),
        last_heard=NOW - timedelta(days=2),
        newest=None,
        batches_pending=0,
        uplink_state="online",
        broker_state="online",
    )


def test_of_many_silent_gateways_three_are_named_and_the_others_counted() -> None:
    told = words(Freshness(NOW, tuple(map(silent, range(90)))), NOW, None)
    assert told.troubles[0] == "Gateway in barn 0 has been silent for 2 days"
    assert told.troubles[3:] == ("87 more are not up to date: see the fleet",)
    assert told.all_well == ""


def test_of_few_all_are_named() -> None:
    assert len(words(Freshness(NOW, tuple(map(silent, range(3)))), NOW, None).troubles) == 3
