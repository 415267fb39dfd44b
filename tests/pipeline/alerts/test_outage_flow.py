"""An outage, a start without state and a change of rules through the whole flow, on the engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import apache_beam as beam
from apache_beam.coders import PickleCoder
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.testing import test_stream as scripted

from pipeline import flow
from pipeline.elements import NotificationMessage, ReceivedMessage
from pipeline.options import BUNDLES
from pipeline.rollup.transform import Schedule
from schemas.notification import parse
from schemas.records import Alert, Event, Heartbeat
from schemas.registry import FixedRegistry, Registry, RegistrySource
from schemas.rules.event import EventRule
from schemas.rules.rate import RateRule
from tests.pipeline.bodies import NOW, REGISTRY, message, one_of, summary
from tests.pipeline.memory import MemorySink

FROST = EventRule(name="frost", event="frost", opens=("low",))
WATCHED = FixedRegistry(replace(REGISTRY, rules=(FROST,)))

TIME: list[datetime] = [NOW]
NOTIFIED: list[NotificationMessage] = []


def clock() -> datetime:
    return TIME[0]


def minute(number: float) -> datetime:
    return NOW + timedelta(minutes=number)


def frost(state: str, at: float, device: str = "d1") -> Event:
    return replace(one_of("events"), device_id=device, event_time=minute(at), rule="frost", channel="temperature", state=state)


def heartbeat(at: float, pending: float | None = None) -> Heartbeat:
    return replace(one_of("heartbeats"), heartbeat_time=minute(at), oldest_pending_time=None if pending is None else minute(pending))


def sent(row: Event | Heartbeat, arrives: float, seq: int) -> ReceivedMessage:
    return message([row], minute(arrives), seq=seq)


def _at_its_arrival(message: ReceivedMessage) -> ReceivedMessage:
    TIME[0] = max(TIME[0], message.received_time)
    return message


def _keep(notification: NotificationMessage) -> None:
    NOTIFIED.append(notification)


def run(name: str, messages: Sequence[ReceivedMessage], registry: RegistrySource = WATCHED, known: Sequence[Alert] = ()) -> MemorySink:
    """Streams the messages in the order of their arrival; the engine's time is that of the latest."""
    TIME[0] = NOW
    NOTIFIED.clear()
    script = scripted.TestStream(coder=PickleCoder()).advance_watermark_to(NOW.timestamp()).advance_processing_time(NOW.timestamp())
    now = NOW
    for one in messages:
        script = script.add_elements([one]).advance_processing_time((one.received_time - now).total_seconds())
        now = one.received_time
    sink = MemorySink(name)
    with beam.Pipeline(options=PipelineOptions([f"--runner={BUNDLES}", "--streaming"])) as pipeline:
        received = pipeline | script.advance_watermark_to_infinity() | beam.Map(_at_its_arrival).with_output_types(ReceivedMessage)
        flow.build(received, registry, sink, Schedule(streaming=True), clock, beam.Map(_keep), open_alerts=known)
    return sink


def rows(sink: MemorySink, subject: str) -> list[tuple[Any, ...]]:
    return [(row["state"], row["historical"], row["notified"]) for row in sink.table("alerts_v1") if row["subject"] == subject]


def test_what_lasts_is_notified_when_the_gateway_is_back_and_what_came_and_went_is_history() -> None:
    """The uplink was down from minute 0 to 25; heartbeats go before the backlog, which comes newest first, and then oldest first."""
    backlog = [frost("low", 5), frost("low", 6, "d2"), frost("normal", 9, "d2")]
    for name, arranged in (("newest", backlog[::-1]), ("oldest", backlog)):
        messages = [
            sent(heartbeat(25, pending=5), 25, 1),
            *(sent(row, 25.1 + number / 100, 2 + number) for number, row in enumerate(arranged)),
            sent(heartbeat(26), 26, 5),
            sent(heartbeat(27), 27, 6),
            sent(heartbeat(28), 28, 7),
        ]
        sink = run(f"outage-{name}", messages)
        assert rows(sink, "d1") == [("opened", False, True)]
        assert rows(sink, "d2") == [("opened", True, False), ("resolved", True, False)]
        [notified] = [parse(each.body) for each in NOTIFIED]
        assert (notified.subject, notified.event_time) == ("d1", minute(5))


def test_an_alert_that_the_warehouse_has_as_open_is_resolved_after_a_start_without_state() -> None:
    run("before-start", [sent(frost("low", 1), 1, 1), sent(heartbeat(2), 2, 2)])
    known = [parse(each.body) for each in NOTIFIED]
    sink = run("after-start", [sent(heartbeat(10), 10, 3), sent(frost("normal", 20), 20, 4)], known=known)
    [row] = sink.table("alerts_v1")
    assert (row["alert_id"], row["state"], row["revision"], row["notified"]) == (known[0].alert_id, "resolved", 1, True)


@dataclass(frozen=True, slots=True)
class UntilMinute:
    """Takes the rules out of the registry at a minute."""

    at: float

    def current(self) -> Registry:
        return WATCHED.registry if clock() < minute(self.at) else WITHOUT


WITHOUT = replace(WATCHED.registry, rules=())


def test_a_rule_that_is_taken_out_while_the_pipeline_runs_closes_its_alert() -> None:
    messages = [sent(frost("low", 1), 1, 1), *(sent(heartbeat(at), at, at) for at in (10, 13, 19))]
    sink = run("taken-out", messages, UntilMinute(12))
    opened, closed = sink.table("alerts_v1")
    assert (opened["state"], closed["state"], closed["alert_id"]) == ("opened", "resolved", opened["alert_id"])
    assert minute(12) <= closed["as_of"] <= minute(20)
    assert closed["message"].endswith("closed, for its rule is no longer in the registry")


def test_a_channel_that_changes_too_fast_opens_an_alert_through_the_whole_flow() -> None:
    rule = RateRule(name="falling", channel="moisture", below=-0.2, devices=("d1",))
    messages = [
        message([summary("d1", NOW, 0.5)], minute(2), seq=1),
        sent(heartbeat(10), 10, 2),
        message([summary("d1", minute(60), 0.1)], minute(62), seq=3),
        sent(heartbeat(70), 70, 4),
    ]
    sink = run("falling", messages, FixedRegistry(replace(REGISTRY, rules=(rule,))))
    [row] = sink.table("alerts_v1")
    assert (row["rule"], row["subject"], row["state"], row["notified"], row["value"]) == ("falling", "d1", "opened", True, -0.4)
