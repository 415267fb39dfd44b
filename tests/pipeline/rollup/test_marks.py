"""Every hour of a site that gets facts is marked; what is too late is in no rollup."""

from __future__ import annotations

from dataclasses import fields
from datetime import timedelta

import pytest

from pipeline.rollup.marks import MARK_AGAIN, SiteHour, in_time, is_due, mark, site_hours
from schemas.records import DirtyWindow
from tests.pipeline.bodies import NOW, summary, with_sites

HOUR = int(NOW.timestamp())
WEEK = timedelta(days=7)


def test_each_hour_of_a_site_is_marked_once_however_many_rows_it_has() -> None:
    rows = [summary(), summary(channel="temperature"), summary(start=NOW - timedelta(seconds=1)), summary("d2")]
    marked = dict(site_hours(with_sites(rows)))
    assert marked.keys() == {SiteHour("south", HOUR), SiteHour("south", HOUR - 3600), SiteHour("north", HOUR)}
    assert set(marked.values()) == {"gw1:7:1"}


def test_nothing_marks_nothing() -> None:
    assert not list(site_hours(with_sites([summary("stranger")])))


def test_a_mark_has_the_columns_of_its_table() -> None:
    made = mark(SiteHour("south", HOUR), "gw1:7:1", NOW)
    assert list(made) == [column.name for column in fields(DirtyWindow)]
    assert (made["window_start"], made["marked_time"]) == (NOW, NOW)


def test_an_hour_is_marked_again_only_after_half_a_day() -> None:
    marked: dict[int, int] = {}
    times = [timedelta(), timedelta(hours=1), MARK_AGAIN - timedelta(seconds=1), MARK_AGAIN, MARK_AGAIN + timedelta(hours=1)]
    assert [is_due(marked, HOUR, NOW + time) for time in times] == [True, False, False, True, False]


def test_what_is_remembered_of_marks_does_not_grow() -> None:
    marked: dict[int, int] = {}
    for hour in range(1000):
        is_due(marked, HOUR + hour * 3600, NOW + timedelta(hours=hour))
    assert len(marked) == 12


def test_a_row_later_than_allowed_leaves_the_rollup() -> None:
    rows = with_sites([summary(), summary(start=NOW - timedelta(days=8)), summary("d2", NOW - timedelta(days=8))])
    assert in_time(rows, WEEK, NOW).rows.column("row").to_pylist() == [0]


@pytest.mark.parametrize(("early", "kept"), [(timedelta(), 1), (timedelta(microseconds=1), 0)])
def test_lateness_counts_from_the_end_of_the_hour(early: timedelta, kept: int) -> None:
    start = NOW - timedelta(days=7, hours=1) - early
    assert in_time(with_sites([summary(start=start)]), WEEK, NOW).rows.num_rows == kept


def test_a_message_that_waited_in_the_subscription_is_as_late_as_it_is_read() -> None:
    assert in_time(with_sites([summary()]), WEEK, NOW + timedelta(days=9)).rows.num_rows == 0
