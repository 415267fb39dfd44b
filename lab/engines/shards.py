"""Lets several pipelines read parts of the gateways, one of them killed on the way; then asks what is lost and repeated.

No emulator of Pub/Sub filters subscriptions, so each message goes to the topic of its shard, which its pipeline alone subscribes to.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass

from google.pubsub_v1.types import PubsubMessage

from lab.console import Console
from lab.engines.kills import LEASE_SECONDS, wait, wrong_hours
from lab.engines.load import Load
from lab.engines.stand import Stand


@dataclass(frozen=True, slots=True, kw_only=True)
class Shards:
    """Is what came of it."""

    processes: int
    messages: int
    lost: int
    repeated: int
    left: int
    wrong_hours: int
    seconds: float


def run(stands: Sequence[Stand], load: Load, console: Console) -> Shards:
    """Publishes the first half, kills one pipeline while the second comes, and compares when all has arrived. Raises StartFailed."""
    first, began = stands[0], time.monotonic()
    _start(stands)
    portions = list(load.published(random.Random(load.messages)))
    for at, portion in enumerate(portions):
        if at == len(portions) // 2:
            first.pipeline.kill()
            first.start()
        _publish(stands, portion)
    first.wait_until_pulling(2)
    console.log(f"{load.messages} messages are published to {len(stands)} pipelines, of which one was killed")
    wait(first, lambda: first.batches() >= load.messages, console)
    time.sleep(LEASE_SECONDS)
    statuses = [stand.pipeline.stop(20.0) for stand in stands]
    console.log(f"the pipelines ended with {statuses}")
    first.recompute()
    shown = first.shown(load)
    return Shards(
        processes=len(stands),
        messages=load.messages,
        lost=shown.lost,
        repeated=shown.repeated,
        left=sum(stand.left() for stand in stands),
        wrong_hours=wrong_hours(first, load),
        seconds=time.monotonic() - began,
    )


def _start(stands: Sequence[Stand]) -> None:
    for stand in stands:
        stand.start()
    for stand in stands:
        stand.wait_until_pulling(1)


def _publish(stands: Sequence[Stand], messages: Sequence[PubsubMessage]) -> None:
    """Does what filtered subscriptions do."""
    for number, stand in enumerate(stands, 1):
        if part := [message for message in messages if message.attributes["shard"] == str(number)]:
            stand.publish(part)
