"""The step that pulls passes on what came, with its time and id, and asks to be called again; it is not split."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any

from apache_beam.io.restriction_trackers import OffsetRange

from pipeline.io.subscription.puller import Puller
from pipeline.io.subscription.source import Pull, _WholeTracker
from tests.pipeline.io.subscription.twin import Subscription, Time


@dataclass
class Engine:
    """Takes what the step tells an engine."""

    tracker: _WholeTracker = field(default_factory=lambda: _WholeTracker(OffsetRange(0, 100)))
    delays: list[float] = field(default_factory=list)
    watermark: float = 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.tracker, name)

    def defer_remainder(self, delay: Any) -> None:
        self.delays.append(float(delay))

    def set_watermark(self, timestamp: Any) -> None:
        self.watermark = float(timestamp)


def test_messages_go_on_with_their_time_and_id_and_the_rest_is_for_later() -> None:
    time, engine = Time(), Engine()
    subscription = Subscription(time)
    puller = Puller(subscription, time.monotonic, time.wall, Random(1))
    subscription.publish("m1")
    puller.pull()
    [passed] = Pull(lambda: puller).process(b"", engine, engine)
    assert (passed.value.attributes, passed.value.ack_id, float(passed.timestamp)) == ({"name": "m1"}, "m1#1", time.wall().timestamp())
    assert engine.watermark < time.wall().timestamp()
    assert engine.delays == [0.0]
    assert subscription.left == {"m1"}
    puller.close()


def test_the_step_ends_when_asked_and_is_never_split() -> None:
    tracker = _WholeTracker(OffsetRange(0, 100))
    assert tracker.try_claim(0)
    assert tracker.try_split(0.5) is None
    assert tracker.try_split(0.0) == (OffsetRange(0, 1), OffsetRange(1, 100))
    tracker.check_done()
