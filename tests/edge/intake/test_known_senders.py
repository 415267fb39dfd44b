"""What people's own senders say, and what would silently mean something else: each is read right, or refused with its reason."""

from __future__ import annotations

from typing import Any

import pytest

from edge.intake.device_names import identifier
from edge.reading import Reading, Rejected
from tests.edge.shapes import described, read, readings, reasons

WARM = {"temperature": "degC"}
EPOCH = 1_777_600_000


def of_class(name: str, pattern: str, channels: dict[str, str], **payload: Any) -> dict[str, Any]:
    return {"name": name, "devices": [pattern], "channels": channels, "payload": payload}


@pytest.mark.parametrize(
    ("message", "layout", "path"),
    [
        ({"data": {"timestamp": EPOCH, "temperature": 3}}, {"values": "data"}, "data.timestamp"),
        ({"meta": {"head": {"ts": EPOCH}}, "temperature": 3}, {}, "meta.head.ts"),
        ({"tst": EPOCH, "temperature": 3}, {}, "tst"),
        ({"dateutc": "2026-05-01 11:59:00", "temperature": 3}, {}, "dateutc"),
        ({"@timestamp": "2026-05-01T11:59:00Z", "temperature": 3}, {}, "@timestamp"),
        ({"Zeit": "01.05.2026 14:00:00", "temperature": 3}, {}, "Zeit"),
        ({"dt": str(EPOCH), "temperature": 3}, {}, "dt"),
    ],
)
def test_9_a_time_is_never_passed_over_wherever_it_stands(message: object, layout: dict[str, Any], path: str) -> None:
    (rejected,) = read(message, described(WARM, **layout))
    assert isinstance(rejected, Rejected)
    assert (rejected.reason, f'time = "{path}"' in rejected.message) == ("undeclared_time", True)


@pytest.mark.parametrize("message", [{"values": {"moisture": 0.3}, "meta": {"ts": EPOCH}}, {"values": {"moisture": 0.3, "ts": EPOCH}}])
def test_9_nor_in_a_message_of_tinybeams_own(message: object) -> None:
    assert reasons(message, {"name": "soil", "devices": ["*"], "channels": {"moisture": "m3/m3"}}) == ["undeclared_time"]


@pytest.mark.parametrize("besides", [{"schedule": {"time": "06:00"}}, {"dt": 0.4}, {"uptime": 5}, {"meta": {"ts": EPOCH}}])
def test_9_what_only_sounds_like_a_time_or_is_ignored_refuses_nothing(besides: dict[str, Any]) -> None:
    assert readings({"temperature": 3, **besides}, described(WARM, ignore=["meta.*"]))[0].values == {"temperature": 3}


def test_9_a_device_without_a_time_is_not_refused_for_the_time_of_another() -> None:
    keyed = described(WARM, device="@key", time="ts")
    first, second = readings({"d1": {"ts": EPOCH, "temperature": 1}, "d2": {"temperature": 2}}, keyed)
    assert (first.sensor_time, second.sensor_time) == (True, False)
