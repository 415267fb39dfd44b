"""A gateway that uploads every six hours: what lasts is notified once it says that everything is delivered, whatever watches it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from pipeline.elements import ReceivedMessage
from schemas.notification import parse
from schemas.records import Alert, Device, Site, Summary
from schemas.registry import FixedRegistry
from schemas.rules.deviation import DeviationRule
from schemas.rules.event import EventRule
from schemas.rules.irrigation import IrrigationRule
from schemas.rules.probe import ProbeRule
from schemas.rules.rate import RateRule
from schemas.rules.site_window import SiteWindowRule
from tests.pipeline.alerts.test_outage_flow import NOTIFIED, frost, heartbeat, minute, run, sent
from tests.pipeline.bodies import ALWAYS, NOW, message, summary
from tests.pipeline.irrigation.test_transform import FIELDS
from tests.pipeline.memory import MemorySink

LASTS, WENT = "lasts", "went"
"""Two devices of a site each that is no field; the field is the north."""
RULES = (
    IrrigationRule(name="water-needed", column="balance_days", below=2.0, hysteresis=1.0),
    SiteWindowRule(name="dry-hour", channel="moisture", window_seconds=3600, below=0.25, sites=(LASTS, WENT)),
    SiteWindowRule(name="dry-minute", channel="moisture", window_seconds=60, below=0.25, sites=(LASTS, WENT)),
    ProbeRule(name="probe-faulty"),
    DeviationRule(name="unusual", channel="moisture", above=4.0, past_hours=24, least_spread=0.01, devices=(LASTS, WENT)),
    RateRule(name="falling", channel="moisture", below=-0.05, devices=(LASTS, WENT)),
    EventRule(name="frost", event="frost", opens=("low",)),
)
SUBJECTS = {"water-needed": "north", "probe-faulty": "d4"} | dict.fromkeys(("dry-hour", "dry-minute", "unusual", "falling", "frost"), LASTS)
"""Of what lasts."""
SITES = tuple(Site(site_id=name, name=name, valid_from=ALWAYS) for name in (LASTS, WENT))
PLACES = {LASTS: LASTS, WENT: WENT, "d4": "north", "d5": "north"}
DEVICES = tuple(Device(name, "soil", place, ALWAYS, None) for name, place in PLACES.items())
WATCHED = FixedRegistry(replace(FIELDS, sites=(*FIELDS.sites, *SITES), devices=(*FIELDS.devices, *DEVICES), rules=RULES))

WET, DRY, IMPOSSIBLE = 0.3, 0.1, 1.5
USUAL = (WET,) * 12
MEASURED = {
    LASTS: (*USUAL, WET, 0.2, DRY),
    WENT: (*USUAL, DRY, WET, WET),
    "d2": (WET, DRY, DRY),
    "d4": (WET, IMPOSSIBLE, IMPOSSIBLE),
    "d5": (WET, IMPOSSIBLE, DRY),
}
"""What each device measured in the hours before the upload; no field has temperatures."""


def measured(device: str, values: Sequence[float], end: int = 0) -> list[Summary]:
    """What a device measured by the hour before `end`, and where no field is in a minute of each of the last three hours."""
    starts = [NOW + timedelta(hours=end - len(values) + number) for number in range(len(values))]
    hours = [summary(device, start, value, window_seconds=3540) for start, value in zip(starts, values, strict=True)]
    minutes = [(start + timedelta(minutes=59), value) for start, value in zip(starts[-3:], values[-3:], strict=True)]
    return hours + [summary(device, start, value) for start, value in minutes if device in (LASTS, WENT)]


def upload(rows: list[Summary], at: float, seq: int) -> list[ReceivedMessage]:
    """What was kept, all at once; and the heartbeat that says that nothing waits any more. Then nothing for hours."""
    return [message(rows, minute(at), seq=seq), sent(heartbeat(at + 0.5), at + 0.5, seq + 1)]


def others(*minutes: float) -> list[ReceivedMessage]:
    """Lets time pass: the heartbeats of another gateway, which heard nothing of these devices."""
    return [message([heartbeat(at)], minute(at), seq=1 + number, gateway_id="gw2") for number, at in enumerate(minutes)]


Streamed = tuple[MemorySink, list[Alert]]
"""Rows, and who was notified."""


@pytest.fixture(scope="module")
def streamed() -> Streamed:
    """Two uploads: after twenty minutes, and six hours later, when it rained."""
    kept = [row for device, values in MEASURED.items() for row in measured(device, values)]
    events = [frost("low", -100, LASTS), frost("low", -200, WENT), frost("normal", -100, WENT)]
    rain = [row for device in ("d2", "d5", LASTS) for row in measured(device, [WET] * 2, end=6)]
    messages = [
        *(sent(event, 20.1 + number / 10, 1 + number) for number, event in enumerate(events)),
        *upload(kept, at=20, seq=10),
        *others(21, 23, 24, 40, 382, 386),
        *upload(rain, at=380, seq=30),
    ]
    sink = run("rare-uploads", sorted(messages, key=lambda each: each.received_time), WATCHED)
    return sink, [parse(each.body) for each in NOTIFIED]


def rows(sink: MemorySink, rule: str, subject: str) -> list[dict[str, Any]]:
    return [row for row in sink.table("alerts_v1") if (row["rule"], row["subject"]) == (rule, subject)]


@pytest.mark.parametrize("rule", SUBJECTS)
def test_what_lasts_is_notified_once_within_four_minutes_of_the_upload_that_brings_it(streamed: Streamed, rule: str) -> None:
    sink, notified = streamed
    page, *ends = [alert for alert in notified if (alert.rule, alert.subject) == (rule, SUBJECTS[rule])]
    assert (page.historical, page.state != "resolved") == (False, True)
    assert page.as_of <= minute(24)
    assert len({row["alert_id"] for row in rows(sink, rule, SUBJECTS[rule])}) == 1
    assert {end.state for end in ends} <= {"resolved"}


@pytest.mark.parametrize("rule", ["water-needed", "dry-hour", "dry-minute"])
def test_the_end_that_the_next_upload_brings_is_notified(streamed: Streamed, rule: str) -> None:
    last = rows(streamed[0], rule, SUBJECTS[rule])[-1]
    assert (last["state"], last["historical"], last["notified"]) == ("resolved", False, True)


@pytest.mark.parametrize("rule", ["dry-hour", "dry-minute", "unusual", "falling", "frost", "probe-faulty"])
def test_what_came_and_went_between_two_uploads_is_history(streamed: Streamed, rule: str) -> None:
    found = rows(streamed[0], rule, "d5" if rule == "probe-faulty" else WENT)
    assert [(row["state"], row["historical"], row["notified"]) for row in found] == [("opened", True, False), ("resolved", True, False)]
