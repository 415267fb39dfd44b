"""A page is shown as it was last known, and asked anew behind whoever looks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from dash.server.moments import MOST_PAGES, OLDEST, Moments

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(seconds=30)


class Tasks(list[Callable[[], None]]):
    """Runs what is to be done later when the test says so."""

    def run(self) -> None:
        while self:
            self.pop(0)()


@pytest.fixture
def tasks() -> Tasks:
    return Tasks()


@pytest.fixture
def moments(tasks: Tasks) -> Moments:
    return Moments(tasks.append)


def look(moments: Moments, now: datetime, page: str = "today") -> datetime:
    return moments.of(page, now, lambda: moments.note(page, now))


def test_the_first_look_waits_and_the_next_gets_what_is_known_while_it_is_asked_anew(moments: Moments, tasks: Tasks) -> None:
    assert look(moments, NOON) == NOON
    moments.note("today", NOON)
    assert [look(moments, LATER) for _ in range(3)] == [NOON] * 3
    assert len(tasks) == 1, "however many look"
    tasks.run()
    assert look(moments, LATER) == LATER
    assert not tasks


def test_what_is_too_old_is_not_shown(moments: Moments, tasks: Tasks) -> None:
    moments.note("today", NOON)
    assert look(moments, NOON + OLDEST) == NOON
    assert look(moments, NOON + OLDEST + timedelta(seconds=1)) == NOON + OLDEST + timedelta(seconds=1)
    assert len(tasks) == 1


def test_after_a_failure_the_next_look_asks_again(moments: Moments, tasks: Tasks) -> None:
    def away() -> None:
        raise ValueError("away")

    moments.note("today", NOON)
    moments.of("today", LATER, away)
    with pytest.raises(ValueError, match="away"):
        tasks.run()
    assert look(moments, LATER) == NOON
    assert len(tasks) == 1


def test_an_older_moment_takes_no_newer_one_back(moments: Moments) -> None:
    moments.note("today", LATER)
    moments.note("today", NOON)
    assert look(moments, LATER) == LATER


def test_once_something_was_written_the_next_look_waits(moments: Moments) -> None:
    moments.note("today", NOON)
    moments.forget()
    assert look(moments, LATER) == LATER


def test_it_remembers_so_many_pages_and_no_more(moments: Moments) -> None:
    for number in range(MOST_PAGES + 1):
        moments.note(f"page {number}", NOON)
    assert look(moments, LATER, "page 0") == LATER
    assert look(moments, LATER, "page 1") == NOON
