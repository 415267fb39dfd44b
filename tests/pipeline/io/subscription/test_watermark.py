"""The watermark follows what comes while there is a backlog, the clock when there is none, and never goes back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipeline.io.subscription.watermark import QUIET_SECONDS, SLACK_SECONDS, Watermark

NOW = 1_000_000.0


def test_a_backlog_holds_the_watermark_at_its_age() -> None:
    watermark = Watermark()
    watermark.pulled(NOW - 3600, NOW)
    assert watermark.at(None, NOW + 1) == NOW - 3600 - SLACK_SECONDS


def test_what_waits_holds_the_watermark_however_long_nothing_came() -> None:
    watermark = Watermark()
    watermark.pulled(NOW - 3600, NOW)
    assert watermark.at(NOW - 3600, NOW + 10 * QUIET_SECONDS) == NOW - 3600 - SLACK_SECONDS


def test_a_quiet_subscription_counts_as_read_up_to_now() -> None:
    watermark = Watermark()
    watermark.pulled(NOW - 3600, NOW)
    later = NOW + QUIET_SECONDS + 1
    assert watermark.at(None, later) == later - SLACK_SECONDS


@given(st.lists(st.tuples(st.floats(0, NOW), st.floats(0, NOW), st.none() | st.floats(0, NOW))))
def test_the_watermark_never_goes_back(steps: list[tuple[float, float, float | None]]) -> None:
    watermark = Watermark()
    seen = [0.0]
    for oldest, now, waiting in steps:
        watermark.pulled(oldest, now)
        seen.append(watermark.at(waiting, now))
    assert seen == sorted(seen)
