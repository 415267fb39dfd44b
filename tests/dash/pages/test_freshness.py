"""The head of a page names the gateways that are late, of many a few, and hides none."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

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
        started_time=None,
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


def test_a_gateway_that_has_just_started_is_not_called_deaf() -> None:
    lost = replace(silent(1), last_heard=NOW, broker_state="offline")
    for started, told in ((timedelta(seconds=9), "has just started, and has not heard"), (timedelta(hours=1), "does not hear")):
        [trouble] = words(Freshness(NOW, (replace(lost, started_time=NOW - started),)), NOW, None).troubles
        assert told in trouble


@pytest.mark.parametrize(("age", "told"), [(timedelta(seconds=2), "in the last minute."), (timedelta(minutes=12), "in the last 12 min.")])
def test_how_old_the_oldest_is_is_said_of_all(age: timedelta, told: str) -> None:
    well = Freshness(NOW, tuple(replace(silent(number), last_heard=NOW - age * number) for number in range(2)))
    assert words(well, NOW, None).all_well == f"All 2 gateways were heard {told}"
