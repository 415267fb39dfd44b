"""What a load says that views and rollups must show is what its messages hold, decoded by the pipeline."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime

from lab.engines.load import Load, SiteHour, registry
from pipeline.decode import decode
from pipeline.elements import ReceivedMessage
from schemas.message import unfolded

END = datetime(2026, 5, 4, 12, 34, tzinfo=UTC)
LOAD = Load.until(END, 260)


def test_its_sums_are_those_of_its_messages_without_repeats() -> None:
    site_of = {device.device_id: device.site_id for device in registry().devices}
    messages = [message for portion in LOAD.published(random.Random(1)) for message in portion]
    different = {message.data: ReceivedMessage(*unfolded(dict(message.attributes), message.data), END) for message in messages}
    found: dict[SiteHour, tuple[int, float]] = defaultdict(lambda: (0, 0.0))
    for message in different.values():
        for row in decode(message).rows.to_pylist():
            key = site_of[row["device_id"]], row["channel"], row["window_start"].replace(minute=0)
            found[key] = found[key][0] + row["count"], found[key][1] + row["sum"]
    assert found == LOAD.sums()
    assert (len(messages), len(different)) == (312, 260)


def test_it_ends_before_it_is_published() -> None:
    assert all(hour < END.replace(minute=0) for _, _, hour in LOAD.sums())


def test_a_site_is_in_one_shard_and_every_shard_has_one() -> None:
    site_of = {f"gateway-{device.device_id[-2:]}": device.site_id for device in registry().devices}
    messages = [message for portion in replace(LOAD, shards=3).published(random.Random(1)) for message in portion]
    found = {(site_of[message.attributes["gateway_id"]], message.attributes["shard"]) for message in messages}
    assert sorted(found) == [("site-0", "1"), ("site-1", "2"), ("site-2", "3"), ("site-3", "1")]
