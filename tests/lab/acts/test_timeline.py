from datetime import UTC, datetime, timedelta

import pytest

from lab.acts.timeline import Timeline


@pytest.mark.parametrize("hour", [0, 5, 23])
def test_history_ends_with_the_last_full_hour_and_keeps_the_time_of_day(hour: int) -> None:
    now = datetime(2026, 5, 1, hour, 40, tzinfo=UTC)
    timeline = Timeline.until(now, 120)
    days = list(timeline.days())
    assert timeline.begin.hour == 0
    assert timeline.end(days[-1]) == now.replace(minute=0)
    assert sum(map(len, days)) == timeline.hours == 120 * 24 + hour
    assert timeline.time(0) == timeline.begin + timedelta(days=1, minutes=30)
    assert timeline.day(23) == 2.0
