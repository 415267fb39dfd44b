"""What somebody said is one label, however often it is said."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest

from labels.said import LabelError, answered, millimetres, stated
from schemas.answers import AnswerLink
from schemas.records import Answer

NOW = datetime(2026, 5, 2, 12, tzinfo=UTC)
OPENED = datetime(2026, 5, 1, 12, tzinfo=UTC)
ALERT = "dry:north:1777636800000000"


def link(answer: Answer, alert_id: str = ALERT) -> AnswerLink:
    return AnswerLink(alert_id, answer, NOW + timedelta(days=1))


def test_an_answer_is_of_when_the_alert_opened_and_water_of_now() -> None:
    done = answered(link(Answer.DONE), amount=None, by="Ada", now=NOW)
    assert (done.answer, done.alert_id, done.event_time, done.labelled_time, done.labelled_by) == ("done", ALERT, OPENED, NOW, "Ada")
    watered = answered(link(Answer.IRRIGATED), amount=12.0, by=None, now=NOW)
    assert (watered.answer, watered.amount, watered.event_time) == ("irrigated_mm", 12.0, NOW)


def test_the_same_answer_again_is_the_same_label() -> None:
    times = (NOW, NOW + timedelta(hours=3))
    assert len({answered(link(Answer.DONE), amount=None, by=None, now=now).label_id for now in times}) == 1
    assert len({answered(link(Answer.IRRIGATED), amount=amount, by=None, now=NOW).label_id for amount in (5.0, 9.0)}) == 1
    assert len({answered(link(answer), amount=None, by=None, now=NOW).label_id for answer in (Answer.DONE, Answer.REPLACED)}) == 2


def test_everybody_who_looks_after_an_alert_counts_and_each_once() -> None:
    seen = [answered(link(Answer.SEEN), amount=None, by=by, now=NOW) for by in ("Ada", "Otto", "Ada", None)]
    assert len({label.label_id for label in seen}) == 3
    assert (seen[0].answer, seen[0].event_time, seen[0].labelled_time, seen[0].labelled_by) == ("seen", OPENED, NOW, "Ada")
    with pytest.raises(LabelError, match="seen is said of an alert"):
        stated(Answer.SEEN, event_time=NOW, now=NOW, site_id="north", by="Ada")


@pytest.mark.parametrize("name", ["two\nlines", "x" * 101])
def test_a_name_is_one_short_line(name: str) -> None:
    with pytest.raises(LabelError, match="a name is one line of at most 100 characters"):
        answered(link(Answer.SEEN), amount=None, by=name, now=NOW)


def test_an_alert_whose_identity_has_no_time_is_answered_of_now() -> None:
    assert answered(link(Answer.DONE, "odd"), amount=None, by=None, now=NOW).event_time == NOW


@pytest.mark.parametrize("amount", [None, 0.0, -1.0, 501.0, math.nan, math.inf])
def test_water_without_a_sensible_amount_is_refused(amount: float | None) -> None:
    with pytest.raises(LabelError, match="more than 0 and at most 500 mm"):
        answered(link(Answer.IRRIGATED), amount=amount, by=None, now=NOW)


def test_what_is_said_without_a_link_is_about_something() -> None:
    with pytest.raises(LabelError, match="say what it is about: a site, a device or an alert"):
        stated(Answer.DONE, event_time=NOW, now=NOW)
    with pytest.raises(LabelError, match="done has no amount"):
        stated(Answer.DONE, event_time=NOW, now=NOW, site_id="north", amount=1.0)
    with pytest.raises(LabelError, match="a note is one line"):
        stated(Answer.DONE, event_time=NOW, now=NOW, site_id="north", note="two\nlines")
    twice = [stated(Answer.IRRIGATED, event_time=NOW, now=NOW, site_id="north", amount=amount).label_id for amount in (5.0, 6.0)]
    assert twice[0] != twice[1]


def test_an_amount_is_read_as_people_write_it() -> None:
    assert [millimetres(text) for text in ("12", "9.5", "9,5", " 7 ")] == [12.0, 9.5, 9.5, 7.0]
    with pytest.raises(LabelError, match="a number of mm"):
        millimetres("a lot")
