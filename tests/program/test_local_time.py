"""Times as people of a place read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from program.local_time import clock, duration, moment

MAY = datetime(2026, 5, 14, 4, 20, 7, tzinfo=UTC)
NOVEMBER = datetime(2026, 11, 14, 4, 20, 7, tzinfo=UTC)


def test_summer_time_is_summer_time_and_the_zone_is_said() -> None:
    assert moment(MAY, "Europe/Berlin") == "06:20, 14 May 2026, Europe/Berlin"
    assert moment(NOVEMBER, "Europe/Berlin") == "05:20, 14 Nov 2026, Europe/Berlin"
    assert clock(NOVEMBER, "America/Chicago") == "2026-11-13 22:20:07 America/Chicago"
    assert clock(MAY, None) == "2026-05-14 04:20:07 UTC"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (59.9, "59 s"), (60, "1 min"), (12_000, "3 h 20 min"), (18_000, "5 h"), (90_061, "1 d 1 h"), (86_460, "1 d"), (-5, "0 s")],
)
def test_a_duration_has_its_two_largest_units(seconds: float, words: str) -> None:
    assert duration(timedelta(seconds=seconds)) == words
