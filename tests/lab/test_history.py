from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from edge.config import load
from lab import field
from lab.gateways import HISTORY, LIVE, Pace, write_settings
from lab.history import Calendar


@pytest.mark.parametrize("pace", [HISTORY, LIVE])
def test_the_settings_of_the_labs_gateways_are_valid(tmp_path: Path, pace: Pace) -> None:
    config = load(write_settings(tmp_path, field.GATEWAYS[0], pace, mqtt_port=1884, health_port=8080))
    assert config.windows.seconds == pace.window_seconds
    assert config.mqtt.topic == "gateway-north/sensors/+/readings"
    assert config.models[0].bundle.is_dir()


@pytest.mark.parametrize("hour", [0, 5, 23])
def test_history_ends_with_the_last_full_hour_and_keeps_the_time_of_day(hour: int) -> None:
    now = datetime(2026, 5, 1, hour, 40, tzinfo=UTC)
    calendar = Calendar.until(now, 120)
    days = list(calendar.dates())
    assert calendar.begin.hour == 0
    assert calendar.end(days[-1]) == now.replace(minute=0)
    assert sum(map(len, days)) == calendar.hours == 120 * 24 + hour
    assert calendar.time(0) == calendar.begin + timedelta(days=1, minutes=30)
    assert calendar.day(23) == 2.0
