"""A gateway is as fresh as the newest that arrived of it, of whichever site."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from dash.data import freshness

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


class Answers:
    """Answers of a gateway that sent no heartbeat, of two sites: old readings of the second came in a minute ago."""

    oldest = None

    def query(self, name: str, **_: Any) -> list[dict[str, Any]]:
        states = dict.fromkeys(("name", "heartbeat_time", "started_time", "batches_pending", "uplink_state", "broker_state"))
        arrived = {"hill": NOW - 2 * DAY, "river": NOW - MINUTE}
        return [
            {"gateway_id": "gateway-north", "site_id": site, "newest": NOW - 3 * DAY, "received_time": time, **states}
            for site, time in arrived.items()
        ]


def test_what_arrived_of_any_of_its_sites_is_heard_of_a_gateway() -> None:
    [gateway] = freshness.read(Answers(), NOW).gateways  # type: ignore[arg-type]
    assert gateway.sites == ("hill", "river")
    assert (gateway.last_heard, gateway.newest) == (NOW - MINUTE, NOW - 3 * DAY)
