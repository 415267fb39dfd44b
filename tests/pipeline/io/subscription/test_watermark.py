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


def test_a_subscription_that_has_nothing_for_a_while_counts_as_read_up_to_now() -> None:
    watermark = Watermark()
    watermark.pulled(NOW - 3600, NOW)
    watermark.found_empty(NOW + 1)
    assert watermark.at(None, NOW + 1) == NOW - 3600 - SLACK_SECONDS
    later = NOW + QUIET_SECONDS + 1
    watermark.found_empty(later)
    assert watermark.at(None, later) == later - SLACK_SECONDS


def test_while_nobody_asks_the_backlog_is_as_old_as_it_was() -> None:
    """Enough is out, and the warehouse takes its time."""
    watermark = Watermark()
    watermark.pulled(NOW - 3600, NOW)
    assert watermark.at(None, NOW + 10 * QUIET_SECONDS) == NOW - 3600 - SLACK_SECONDS


@given(st.lists(st.tuples(st.floats(0, NOW), st.floats(0, NOW), st.none() | st.floats(0, NOW), st.booleans())))
def test_the_watermark_never_goes_back(steps: list[tuple[float, float, float | None, bool]]) -> None:
    watermark = Watermark()
    seen = [0.0]
    for oldest, now, waiting, is_empty in steps:
        if is_empty:
            watermark.found_empty(now)
        else:
            watermark.pulled(oldest, now)
        seen.append(watermark.at(waiting, now))
    assert seen == sorted(seen)
