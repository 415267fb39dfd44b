"""Alerts through the whole flow: rows of every source, notifications of what is fresh, and silence by timers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.coders import PickleCoder
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.testing import test_stream as scripted

from pipeline import flow
from pipeline.elements import NotificationMessage, ReceivedMessage
from pipeline.options import BUNDLES, FN_API
from pipeline.rollup.transform import Schedule
from schemas.notification import ATTRIBUTES, parse
from schemas.records import Alert, Event, Heartbeat
from schemas.registry import FixedRegistry
from schemas.rules.event import EventRule
from schemas.rules.irrigation import IrrigationRule
from schemas.rules.rejects import RejectsRule
from schemas.rules.silence import SilenceRule
from schemas.rules.site_window import SiteWindowRule
from tests.pipeline.bodies import NOW, REGISTRY, message, one_of, summary
from tests.pipeline.irrigation.test_transform import FIELDS, messages
from tests.pipeline.memory import MemorySink

RULES = (
    EventRule(name="dries-out", event="soil", opens=("soon", "now"), message="Water it"),
    SiteWindowRule(name="dry", channel="moisture", window_seconds=60, below=0.15, sites=("south",)),
    SilenceRule(name="silent", silent_seconds=600, devices=("d1",)),
    SilenceRule(name="gateway-silent", silent_seconds=900, subject="gateway"),
)
WATCHED = FixedRegistry(replace(REGISTRY, rules=RULES))

TIME: list[datetime] = [NOW]
"""The clock of these tests: when the latest message arrived."""
NOTIFIED: dict[str, list[NotificationMessage]] = {}


def clock() -> datetime:
    return TIME[0]


def _at_its_arrival(message: ReceivedMessage) -> ReceivedMessage:
    TIME[0] = max(TIME[0], message.received_time)
    return message


@dataclass(frozen=True, slots=True)
class Keep:
    name: str

    def __call__(self, notification: NotificationMessage) -> None:
        NOTIFIED[self.name].append(notification)


def minute(number: float) -> datetime:
    return NOW + timedelta(minutes=number)


def label(state: str, at: float, device: str = "d1", previous: str | None = "fine") -> Event:
    return Event(
        device_id=device,
        event_time=minute(at),
        cause="label",
        rule="soil",
        channel=None,
        previous_state=previous,
        state=state,
        value=3.0,
        threshold=None,
        severity="warning",
        time_quality="synced",
    )


def heartbeat(at: float) -> Heartbeat:
    return replace(one_of("heartbeats"), heartbeat_time=minute(at))


def sent() -> list[ReceivedMessage]:
    storm = [label(("now", "fine")[number % 2], 3 + number / 10_000, "d2") for number in range(9_999)]
    return [
        message([label("soon", 1), replace(label("soon", 1), rule="unwatched")], minute(1), seq=1),
        message([summary("d1", minute(1), 0.1), summary("d2", minute(1), 0.1)], minute(2), seq=2),
        message([label("fine", 2), label("now", -600, "d2"), label("fine", -500, "d2")], minute(2.1), seq=3),
        message(storm, minute(4.1), seq=4),
        *(message([heartbeat(at)], minute(at), seq=at) for at in range(5, 13)),
        message([summary("d1", minute(13), 0.2)], minute(14), seq=14),
    ]


AFTER = [message([heartbeat(at)], minute(at), seq=at, gateway_id="gw2") for at in (20, 29, 34, 40)]
"""Time passes though gw1 says nothing more."""


def stream() -> scripted.TestStream:
    """Every message twice; the engine's time is that of the latest message."""
    script = scripted.TestStream(coder=PickleCoder()).advance_watermark_to(NOW.timestamp()).advance_processing_time(NOW.timestamp())
    now = NOW
    for one in [*sent(), *AFTER]:
        script = script.add_elements([one, one]).advance_processing_time((one.received_time - now).total_seconds())
        now = one.received_time
    return script.advance_watermark_to_infinity()


@pytest.fixture(scope="module")
def streamed() -> Iterator[MemorySink]:
    sink, NOTIFIED["streamed"], TIME[0] = MemorySink("alerts"), [], NOW
    with beam.Pipeline(options=PipelineOptions([f"--runner={BUNDLES}", "--streaming"])) as pipeline:
        messages = pipeline | stream() | beam.Map(_at_its_arrival).with_output_types(ReceivedMessage)
        flow.build(messages, WATCHED, sink, Schedule(streaming=True), clock, beam.Map(Keep("streamed")))
    return sink


def rows(sink: MemorySink, rule: str, subject: str) -> list[dict[str, Any]]:
    return [row for row in sink.table("alerts_v1") if (row["rule"], row["subject"]) == (rule, subject)]


def states(alerts: list[dict[str, Any]]) -> list[tuple[str, bool]]:
    return [(row["state"], row["historical"]) for row in alerts]


def test_an_event_opens_and_resolves_and_a_repeated_batch_does_nothing(streamed: MemorySink) -> None:
    alerts = rows(streamed, "dries-out", "d1")
    assert states(alerts) == [("opened", False), ("resolved", False)]
    assert (alerts[0]["site_id"], alerts[0]["device_id"], alerts[0]["event_time"]) == ("south", "d1", minute(1))
    assert alerts[0]["message"] == "Water it: south, d1: soil says soon"


def test_a_storm_is_one_open_alert_and_all_its_rows_are_stored(streamed: MemorySink) -> None:
    alerts = rows(streamed, "dries-out", "d2")
    assert len([row for row in streamed.table("events_v1") if row["device_id"] == "d2"]) == 2 + 9_999
    of_backlog, of_storm = alerts[:2], alerts[2:]
    assert states(of_backlog) == [("opened", True), ("resolved", True)]
    assert states(of_storm) == [("opened", False), ("resolved", False), ("updated", False)]
    assert len({row["alert_id"] for row in of_storm}) == 1
    assert alerts[-1]["as_of"] >= minute(33), "what was pending becomes a row when the cooldown is over"


def test_a_site_window_below_its_limit_opens_for_the_sites_of_the_rule(streamed: MemorySink) -> None:
    assert states(rows(streamed, "dry", "south")) == [("opened", False), ("resolved", False)]
    assert rows(streamed, "dry", "north") == []
    assert rows(streamed, "dry", "south")[0]["value"] == pytest.approx(0.1)


def test_a_device_that_its_gateway_no_longer_hears_is_silent_until_it_is_heard(streamed: MemorySink) -> None:
    alerts = rows(streamed, "silent", "d1")
    assert states(alerts) == [("opened", False), ("resolved", False)]
    assert [row["event_time"] for row in alerts] == [minute(11), minute(13)]
    assert rows(streamed, "silent", "d2") == []


def test_a_gateway_of_which_nothing_arrives_is_silent(streamed: MemorySink) -> None:
    assert states(rows(streamed, "gateway-silent", "gw1")) == [("opened", False)]
    assert rows(streamed, "gateway-silent", "gw1")[0]["event_time"] == minute(29)
    assert rows(streamed, "gateway-silent", "gw2") == []


def test_what_is_not_historical_is_notified_and_nothing_else(streamed: MemorySink) -> None:
    fresh = sorted((row["alert_id"], row["revision"]) for row in streamed.table("alerts_v1") if not row["historical"])
    notified = [parse(notification.body) for notification in NOTIFIED["streamed"]]
    assert sorted((alert.alert_id, alert.revision) for alert in notified) == fresh
    for notification, alert in zip(NOTIFIED["streamed"], notified, strict=True):
        assert notification.attributes == {name: str(getattr(alert, name)) for name in ATTRIBUTES}


def test_batch_mode_stores_the_same_alerts_and_notifies_nobody() -> None:
    sink, NOTIFIED["batched"], TIME[0] = MemorySink("alerts-batch"), [], NOW
    with beam.Pipeline(options=PipelineOptions([f"--runner={FN_API}"])) as pipeline:
        messages = pipeline | beam.Create([*sent()[::-1], *sent()])
        flow.build(messages, WATCHED, sink, Schedule(streaming=False), clock, beam.Map(Keep("batched")))
    assert NOTIFIED["batched"] == []
    assert {row["historical"] for row in sink.table("alerts_v1")} == {True}
    assert {row["source"] for row in sink.table("alerts_v1")} == {"event", "site_window"}
    alerts = sorted(rows(sink, "dries-out", "d1"), key=lambda row: row["revision"])
    assert states(alerts) == [("opened", True), ("resolved", True)]
    assert len({row["alert_id"] for row in rows(sink, "dries-out", "d2")}) == 2


def test_a_field_that_needs_water_opens_an_alert_at_the_hour_that_says_so() -> None:
    rule = IrrigationRule(name="water", column="depletion_mm", above=80.0)
    sink, TIME[0] = MemorySink("alerts-water"), NOW
    with beam.Pipeline(options=PipelineOptions([f"--runner={FN_API}"])) as pipeline:
        flow.build(
            pipeline | beam.Create(messages()), FixedRegistry(replace(FIELDS, rules=(rule,))), sink, Schedule(streaming=False), clock
        )
    alert, *updates = sorted(rows(sink, "water", "north"), key=lambda row: row["revision"])
    assert {row["state"] for row in updates} == {"updated"}, "as it dries further, or by a little less"
    of_days = {row["moisture_time"] - timedelta(hours=1): row["depletion_mm"] for row in sink.table("irrigation_v2")}
    assert (alert["state"], alert["value"], alert["threshold"]) == ("opened", of_days[alert["event_time"]], 80.0)
    assert alert["event_time"] == min(of_days)


def test_a_surge_of_rejects_by_pipeline_and_gateways_opens_once_and_ends() -> None:
    """A release that understands nothing, a device that nobody knows, a gateway that sets much aside: of each gateway one alert."""
    rule = RejectsRule(name="surge", above=4, window_seconds=600)
    broken = [replace(message([summary("d1", minute(at))], minute(at), seq=1 + at, gateway_id="gw3"), body=b"?") for at in range(1, 9)]
    strangers = [message([summary("who", minute(at))], minute(at + 0.5), seq=1 + at, gateway_id="gw4") for at in range(1, 9)]
    aside = message([replace(one_of("rejects"), timestamp=minute(9))] * 5, minute(9), gateway_id="gw5")
    script = scripted.TestStream(coder=PickleCoder()).advance_watermark_to(NOW.timestamp()).advance_processing_time(NOW.timestamp())
    now = NOW
    for one in [*sorted([*broken, *strangers], key=lambda each: each.received_time), aside, *AFTER]:
        script = script.add_elements([one]).advance_processing_time((one.received_time - now).total_seconds())
        now = one.received_time
    sink, NOTIFIED["surge"], TIME[0] = MemorySink("surge"), [], NOW
    with beam.Pipeline(options=PipelineOptions([f"--runner={BUNDLES}", "--streaming"])) as pipeline:
        messages = pipeline | script.advance_watermark_to_infinity() | beam.Map(_at_its_arrival).with_output_types(ReceivedMessage)
        registry = FixedRegistry(replace(REGISTRY, rules=(rule,)))
        flow.build(messages, registry, sink, Schedule(streaming=True), clock, beam.Map(Keep("surge")))
    for gateway in ("gw3", "gw4", "gw5"):
        assert states(rows(sink, "surge", gateway)) == [("opened", False), ("resolved", False)]
    assert len(NOTIFIED["surge"]) == 6


def test_notifications_are_alerts_again_when_read(streamed: MemorySink) -> None:
    notification = NOTIFIED["streamed"][0]
    alert: Alert = parse(notification.body)
    assert json.loads(notification.body)["alert_id"] == alert.alert_id
    assert alert in [Alert(**row) for row in streamed.table("alerts_v1")]
