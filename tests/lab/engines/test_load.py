"""What a load says that views and rollups must show is what its messages hold, decoded by the pipeline."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import UTC, datetime

from lab.engines.load import Load, SiteHour, registry
from pipeline.decode import decode
from pipeline.elements import ReceivedMessage

LOAD = Load(260, datetime(2026, 5, 4, 12, 34, tzinfo=UTC))


def test_its_sums_are_those_of_its_messages_without_repeats() -> None:
    site_of = {device.device_id: device.site_id for device in registry().devices}
    messages = [message for portion in LOAD.published(random.Random(1)) for message in portion]
    different = {message.data: ReceivedMessage(dict(message.attributes), message.data, LOAD.end) for message in messages}
    found: dict[SiteHour, tuple[int, float]] = defaultdict(lambda: (0, 0.0))
    for message in different.values():
        for row in decode(message).rows.to_pylist():
            key = site_of[row["device_id"]], row["channel"], row["window_start"].replace(minute=0)
            found[key] = found[key][0] + row["count"], found[key][1] + row["sum"]
    assert found == LOAD.sums()
    assert (len(messages), len(different)) == (312, 260)


def test_it_ends_before_it_is_published() -> None:
    assert all(hour < LOAD.end.replace(minute=0) for _, _, hour in LOAD.sums())
