"""A gateway's card says what is wrong with it, and never that all is well of one that is silent."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from dash.data.fleet import Gateway, Store
from dash.pages.fleet import card

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
STORE = Store(stores=1, replaced=0, missing=0, lost=0, waiting=0, readings_lost=0)
WELL = Gateway(
    gateway_id="gw1",
    name="barn",
    sites=("north",),
    newest=NOW - timedelta(minutes=6),
    heartbeat_time=NOW - timedelta(minutes=5),
    received_time=NOW - timedelta(minutes=5),
    started_time=NOW - timedelta(days=3),
    version="0.3.0",
    time_quality="synced",
    uplink_state="online",
    broker_state="online",
    batches_pending=1,
    oldest_pending_time=None,
    batches_dropped=0,
    readings_dropped=0,
    readings_lost=0,
    store_bytes=1_000_000,
    store_bytes_max=500_000_000,
    devices_seen=3,
    certificate_end_time=NOW + timedelta(days=200),
    inferences_failed=0,
    models={"soil": "00"},
    releases={"soil": 3},
    refused={},
    store=STORE,
)
SITES = {"north": "North field"}


def test_a_gateway_that_is_heard_and_lacks_nothing_has_no_trouble() -> None:
    told = card(WELL, SITES, NOW, None)
    assert (told.urgency, told.troubles) == (None, ())
    assert told.state == "heard 5 min ago"
    assert told.sites == ("North field",)
    assert ("models", "soil release 3") in told.facts


def test_a_gateway_that_was_silent_for_a_week_is_not_well_whatever_it_said_last() -> None:
    told = card(replace(WELL, received_time=NOW - timedelta(days=7)), SITES, NOW, None)
    assert told.urgency == "now"
    assert told.state == "silent for 7 days; what follows is what it said then"


def test_a_gateway_that_was_never_heard_claims_nothing() -> None:
    never = dict.fromkeys(("received_time", "heartbeat_time", "newest", "version", "store_bytes", "time_quality", "batches_pending"))
    told = card(replace(WELL, **never, models={}, store=None), SITES, NOW, None)
    assert told.state == "not heard in 30 days"
    assert not {"newest reading", "software", "store", "clock", "models"} & {name for name, _ in told.facts}


@pytest.mark.parametrize(
    ("change", "urgency", "words"),
    [
        ({"broker_state": "offline"}, "now", "does not hear its sensors"),
        ({"certificate_end_time": NOW - timedelta(days=1)}, "now", "certificate is over"),
        ({"certificate_end_time": NOW + timedelta(days=3)}, "soon", "certificate ends"),
        ({"store_bytes": 450_000_000}, "soon", "nearly full"),
        ({"time_quality": "untrusted"}, "soon", "no time server has set its clock"),
        ({"batches_pending": 500}, "look", "500 batches wait"),
        ({"refused": {"soil/4": "it failed its trial"}}, "look", "does not run soil/4: it failed its trial"),
        (
            {"store": Store(stores=2, replaced=1, missing=9, lost=9, waiting=0, readings_lost=40)},
            "look",
            "9 batches and 40 readings were lost",
        ),
    ],
)
def test_a_trouble_is_told_with_its_urgency(change: dict[str, object], urgency: str, words: str) -> None:
    told = card(replace(WELL, **change), SITES, NOW, None)
    assert told.urgency == urgency
    assert words in told.troubles[0]
