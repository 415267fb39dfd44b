"""A storm is few notices, and all of them together say what happened: each alert's latest state once, whatever fails or is killed."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notify.pace import HOUR, Pace
from schemas.records import Alert
from tests.notify.alerts import NOW, alert
from tests.notify.test_dispatch import ThreadlessNotifier

PACE = Pace(timedelta(seconds=30), 6)


@pytest.fixture
def notifier(tmp_path: Path) -> Iterator[ThreadlessNotifier]:
    threadless = ThreadlessNotifier(tmp_path, ("a",))
    yield threadless
    threadless.sent_log.close()


def sizes(notifier: ThreadlessNotifier) -> list[int]:
    return [len(notice.alerts) for notice in notifier.receivers["a"].notices]


def test_the_first_goes_at_once_and_what_follows_is_one_notice_that_counts_it(notifier: ThreadlessNotifier) -> None:
    for number in range(16):
        notifier.dispatch(alert(number), str(number))
    notifier.pass_time(0)
    assert (sizes(notifier), len(notifier.acknowledged)) == ([1], 16)
    notifier.pass_time(29)
    assert sizes(notifier) == [1]
    notifier.pass_time(2)
    assert sizes(notifier) == [1, 15]
    assert sorted(notifier.receivers["a"].received) == sorted((alert(number).alert_id, 0) for number in range(16))


def test_a_storm_holds_up_no_other_rule_or_site(notifier: ThreadlessNotifier) -> None:
    for number in range(20):
        notifier.dispatch(alert(number))
    notifier.pass_time(1)
    notifier.dispatch(alert(1, alert_id="wet:d1:1", rule="wet"))
    notifier.dispatch(alert(1, alert_id="dry:d1:2", site_id="south"))
    notifier.pass_time(0)
    assert notifier.receivers["a"].received[1:] == [("dry:d1:2", 0), ("wet:d1:1", 0)]


def test_thousands_of_anomalies_in_an_hour_are_at_most_six_notices_and_their_sum_is_what_happened(tmp_path: Path) -> None:
    """Of ten thousand every fifth, one each 1.75 s for just less than an hour; every third is over after five minutes."""
    notifier = ThreadlessNotifier(tmp_path, ("a",))
    notifier.sent_log._database.execute("pragma synchronous = off")
    latest: dict[str, int] = {}
    for number in range(2_000):
        messages = [alert(number)] + ([alert(number - 167, revision=1)] if number % 3 == 0 and number >= 167 else [])
        for each in messages:
            notifier.dispatch(_now(each, notifier))
            latest[each.alert_id] = each.revision
        notifier.pass_time(1.75)
        if number == 0:
            assert sizes(notifier) == [1]
    assert len(sizes(notifier)) <= 6
    notifier.pass_time(3600)
    notices = notifier.receivers["a"].notices
    last = {each.alert_id: each.revision for notice in notices for each in notice.alerts}
    assert last == latest
    assert len(set(notifier.receivers["a"].received)) == len(notifier.receivers["a"].received)
    assert len(notices) <= 12
    notifier.sent_log.close()


def test_what_is_gathered_survives_a_kill_and_is_sent_once(tmp_path: Path) -> None:
    before = ThreadlessNotifier(tmp_path, ("a",))
    for number in range(10):
        before.dispatch(alert(number), str(number))
    before.pass_time(10)
    assert (sizes(before), len(before.acknowledged)) == ([1], 10)
    before.sent_log.close()
    after = ThreadlessNotifier(tmp_path, ("a",))
    after.seconds = 10.0
    after.dispatch(alert(3), "again")
    after.pass_time(19)
    assert sizes(after) == []
    after.pass_time(3600)
    assert sizes(after) == [9]
    assert after.acknowledged == ["again"]
    after.sent_log.close()


def test_a_notice_that_is_tried_again_after_a_kill_is_the_same_though_more_came(tmp_path: Path) -> None:
    before = ThreadlessNotifier(tmp_path, ("a",))
    for number in range(3):
        before.dispatch(alert(number))
    before.pass_time(29)
    before.receivers["a"].failures = 1
    before.pass_time(1)
    before.dispatch(alert(7))
    before.dispatch(alert(1, revision=1))
    before.workers["a"].run_due()
    before.workers["a"].run_due()
    before.sent_log.close()
    after = ThreadlessNotifier(tmp_path, ("a",))
    after.seconds = before.seconds
    after.pass_time(3600)
    assert [sorted((each.subject, each.revision) for each in notice.alerts) for notice in after.receivers["a"].notices] == [
        [("d1", 0), ("d2", 0)],
        [("d1", 1), ("d7", 0)],
    ]
    after.sent_log.close()


def test_what_was_gathered_is_given_up_loudly_when_the_receiver_stays_down(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    notifier = ThreadlessNotifier(tmp_path, ("a",), retry={"max_elapsed_time": 100.0, "max_interval": 10.0})
    for number in range(5):
        notifier.dispatch(alert(number))
    notifier.pass_time(1)
    notifier.receivers["a"].failures = 10**9
    notifier.pass_time(200)
    assert "GIVEN UP" in caplog.text
    assert "and 3 more was never sent" in caplog.text
    notifier.receivers["a"].failures = 0
    notifier.pass_time(7200)
    assert sizes(notifier) == [1]
    notifier.sent_log.close()


def test_an_alert_that_opens_and_ends_while_it_waits_is_said_once_as_over(notifier: ThreadlessNotifier) -> None:
    for each in (alert(1), alert(2), alert(2, revision=1), alert(2)):
        notifier.dispatch(each)
    notifier.pass_time(60)
    assert notifier.receivers["a"].received == [(alert(1).alert_id, 0), (alert(2).alert_id, 1)]


def test_a_clock_that_is_set_back_silences_nothing(notifier: ThreadlessNotifier) -> None:
    notifier.seconds = 86_400.0
    notifier.dispatch(_now(alert(1), notifier))
    notifier.pass_time(0)
    notifier.sent_log.close()
    after = ThreadlessNotifier(notifier.config.notify.state_file.parent, ("a",))
    after.dispatch(alert(2))
    after.pass_time(0)
    assert after.receivers["a"].received == [(alert(2).alert_id, 0)]
    after.sent_log.close()


@given(st.lists(st.integers(0, 4000), max_size=200))
def test_no_hour_has_more_notices_than_the_limit_and_none_waits_longer_than_an_hour(gaps: list[int]) -> None:
    sent, now = [], NOW
    for gap in gaps:
        now += timedelta(seconds=gap)
        due = PACE.next_time(sent, now)
        assert now <= due <= now + HOUR
        now = due
        sent.append(now)
    for begin in sent:
        assert sum(begin <= time < begin + HOUR for time in sent) <= 6


@settings(max_examples=30)
@given(st.lists(st.tuples(st.integers(1, 6), st.integers(0, 3), st.integers(0, 90)), max_size=40), st.sets(st.integers(0, 39)))
def test_every_alerts_latest_state_is_said_once_and_in_order_through_failures_and_kills(
    messages: list[tuple[int, int, int]], kills: set[int]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        notifier, received, seconds = ThreadlessNotifier(Path(folder), ("a",)), list[tuple[str, int]](), 0.0
        for place, (number, revision, pause) in enumerate(messages):
            notifier.receivers["a"].failures = pause % 3
            notifier.dispatch(alert(number, revision))
            notifier.pass_time(pause)
            if place in kills and not notifier.dispatcher._under_way:
                received, seconds = received + notifier.receivers["a"].received, notifier.seconds
                notifier.sent_log.close()
                notifier = ThreadlessNotifier(Path(folder), ("a",))
                notifier.seconds = seconds
        notifier.pass_time(3 * 3600)
        received += notifier.receivers["a"].received
        notifier.sent_log.close()
    assert len(set(received)) == len(received)
    for alert_id in {alert(number).alert_id for number, _, _ in messages}:
        revisions = [revision for name, revision in received if name == alert_id]
        assert revisions == sorted(revisions)
        assert revisions[-1] == max(revision for number, revision, _ in messages if alert(number).alert_id == alert_id)


def _now(one: Alert, notifier: ThreadlessNotifier) -> Alert:
    return replace(one, as_of=notifier.now())
