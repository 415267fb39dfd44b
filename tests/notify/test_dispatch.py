"""Each notification once in each receiver, whatever fails and comes again; the clock is the test's own."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify.clock import Clock
from notify.dispatch import Dispatcher
from notify.exposition import exposition
from notify.notice import Notice
from notify.receiver_worker import ReceiverWorker
from notify.receivers.receiver import ReceiverError
from notify.sent_log import SentLog
from schemas.records import Alert
from tests.notify.alerts import NOW, alert, body, config


class FakeReceiver:
    """A receiver that remembers, and fails so many times."""

    def __init__(self, name: str) -> None:
        self.name, self.failures = name, 0
        self.received: list[tuple[str, int]] = []
        self.notices: list[Notice] = []

    def send(self, notice: Notice) -> None:
        if self.failures:
            self.failures -= 1
            raise ReceiverError(f"{self.name} is down")
        self.received += [(alert.alert_id, alert.revision) for alert in notice.alerts]
        self.notices.append(notice)


@dataclass
class FakeReceipt:
    """A message's receipt."""

    name: str
    acknowledged: list[str]

    def ack(self) -> None:
        self.acknowledged.append(self.name)


class ThreadlessNotifier:
    """A notifier without threads: time passes when the test says so."""

    def __init__(self, folder: Path, receivers: tuple[str, ...] = ("a", "b"), **sections: Any) -> None:
        webhooks = [{"kind": "webhook", "name": name, "url": "http://127.0.0.1/"} for name in receivers]
        sections = {"routes": [{"receivers": list(receivers)}], "receivers": webhooks} | sections
        self.config, self.seconds = config(folder, **sections), 0.0
        self.acknowledged = list[str]()
        self.sent_log = SentLog(self.config.notify.state_file)
        self.receivers = {name: FakeReceiver(name) for name in receivers}
        clock = Clock(self.now, lambda: self.seconds)
        self.workers = {
            name: ReceiverWorker(receiver, self.sent_log, self.config, clock, Random(1)) for name, receiver in self.receivers.items()
        }
        self.dispatcher = Dispatcher(self.config, self.sent_log, self.workers, clock)

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.seconds)

    def dispatch(self, message: Alert | bytes, name: str = "") -> None:
        self.dispatcher.dispatch(message if isinstance(message, bytes) else body(message), FakeReceipt(name, self.acknowledged))

    def pass_time(self, seconds: float) -> None:
        """Every worker makes its attempts when they are due."""
        end = self.seconds + seconds
        while True:
            due = min(worker.run_due() for worker in self.workers.values())
            if self.seconds + due > end:
                break
            self.seconds += due
        self.seconds = end


@pytest.fixture
def notifier(tmp_path: Path) -> Iterator[ThreadlessNotifier]:
    threadless = ThreadlessNotifier(tmp_path)
    yield threadless
    threadless.sent_log.close()


def test_a_notification_is_sent_to_every_receiver_of_its_routes_and_then_acknowledged(notifier: ThreadlessNotifier) -> None:
    notifier.receivers["b"].failures = 3
    notifier.dispatch(alert(), "first")
    notifier.workers["a"].run_due()
    assert (notifier.receivers["a"].received, notifier.acknowledged) == ([(alert().alert_id, 0)], [])
    notifier.pass_time(60)
    assert (notifier.receivers["b"].received, notifier.acknowledged) == ([(alert().alert_id, 0)], ["first"])


def test_what_was_done_is_counted_for_prometheus(tmp_path: Path) -> None:
    notifier = ThreadlessNotifier(tmp_path, retry={"max_elapsed_time": 30.0})
    notifier.receivers["a"].failures, notifier.receivers["b"].failures = 2, 10**6
    notifier.dispatch(alert(1))
    notifier.workers["b"].run_due()
    waiting = [worker.counts().waiting for worker in notifier.workers.values()]
    notifier.pass_time(600)
    notifier.dispatch(b"no notification")
    notifier.dispatch(alert(2, as_of=NOW - timedelta(days=1)))
    exposed = exposition(notifier.dispatcher.counts, [worker.counts() for worker in notifier.workers.values()])
    values = dict(re.findall(r'^tinybeam_notifier_(\w+(?:{receiver="."})?) (\d+)$', exposed, re.MULTILINE))
    failed = int(values.pop('failed_total{receiver="b"}'))
    assert failed >= 3
    assert waiting == [1, 1]
    assert values == {
        "messages_total": "3",
        "discarded_total": "1",
        "too_old_total": "1",
        'sent_total{receiver="a"}': "1",
        'sent_total{receiver="b"}': "0",
        'failed_total{receiver="a"}': "2",
        'given_up_total{receiver="a"}': "0",
        'given_up_total{receiver="b"}': "1",
        'waiting{receiver="a"}': "0",
        'waiting{receiver="b"}': "0",
    }
    notifier.sent_log.close()


def test_a_message_that_comes_again_is_sent_once_and_acknowledged_each_time(notifier: ThreadlessNotifier) -> None:
    notifier.receivers["a"].failures = 2
    for name in ("first", "again"):
        notifier.dispatch(alert(), name)
    notifier.pass_time(60)
    notifier.dispatch(alert(), "later")
    notifier.pass_time(1)
    assert [receiver.received for receiver in notifier.receivers.values()] == [[(alert().alert_id, 0)]] * 2
    assert sorted(notifier.acknowledged) == ["again", "first", "later"]


def test_a_restart_sends_only_to_the_receivers_that_do_not_have_it(tmp_path: Path) -> None:
    before = ThreadlessNotifier(tmp_path)
    before.receivers["b"].failures = 100
    before.dispatch(alert(), "before")
    before.pass_time(5)
    before.sent_log.close()
    after = ThreadlessNotifier(tmp_path)
    after.dispatch(alert(), "after")
    after.pass_time(5)
    after.sent_log.close()
    assert (before.acknowledged, after.acknowledged) == ([], ["after"])
    assert (after.receivers["a"].received, after.receivers["b"].received) == ([], [(alert().alert_id, 0)])


def test_a_receiver_that_fails_holds_up_no_other_and_no_later_notification_of_its_own(notifier: ThreadlessNotifier) -> None:
    notifier.receivers["b"].failures = 1
    notifier.dispatch(alert(1))
    notifier.workers["b"].run_due()
    notifier.dispatch(alert(2))
    notifier.workers["b"].run_due()
    notifier.workers["a"].run_due()
    assert notifier.receivers["b"].received == [(alert(2).alert_id, 0)]
    assert notifier.receivers["a"].received == [(alert(1).alert_id, 0)]


def test_an_older_revision_is_not_sent_after_a_newer_one(notifier: ThreadlessNotifier) -> None:
    notifier.receivers["a"].failures = 1
    notifier.dispatch(alert(), "opened")
    notifier.workers["a"].run_due()
    notifier.dispatch(alert(revision=1), "resolved")
    notifier.pass_time(60)
    assert notifier.receivers["a"].received == [(alert().alert_id, 1)]
    assert sorted(notifier.acknowledged) == ["opened", "resolved"]
    notifier.dispatch(alert(), "stray")
    assert notifier.acknowledged[-1] == "stray"


def test_it_is_given_up_loudly_after_max_elapsed_time(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    notifier = ThreadlessNotifier(tmp_path, ("a",), retry={"max_elapsed_time": 100.0, "max_interval": 10.0})
    notifier.receivers["a"].failures = 10**9
    notifier.dispatch(alert(), "first")
    notifier.pass_time(85)
    assert notifier.acknowledged == []
    notifier.pass_time(20)
    assert notifier.acknowledged == ["first"]
    assert "GIVEN UP" in caplog.text
    notifier.receivers["a"].failures = 0
    notifier.dispatch(alert(), "again")
    notifier.pass_time(20)
    notifier.sent_log.close()
    assert (notifier.receivers["a"].received, notifier.acknowledged) == ([], ["first", "again"])


def test_zero_never_gives_up(tmp_path: Path) -> None:
    notifier = ThreadlessNotifier(tmp_path, ("a",), retry={"max_elapsed_time": 0.0, "max_interval": 3600.0})
    notifier.receivers["a"].failures = 200
    notifier.dispatch(alert(), "first")
    notifier.pass_time(30 * 86_400)
    notifier.sent_log.close()
    assert notifier.acknowledged == ["first"]


def test_an_old_notification_is_acknowledged_and_sent_to_nobody(notifier: ThreadlessNotifier) -> None:
    notifier.dispatch(alert(as_of=NOW - timedelta(seconds=21_601)), "old")
    notifier.dispatch(alert(2, as_of=NOW - timedelta(seconds=21_600)), "just not")
    notifier.pass_time(1)
    assert notifier.receivers["a"].received == [(alert(2).alert_id, 0)]
    assert notifier.acknowledged == ["old", "just not"]


@pytest.mark.parametrize(
    "malformed",
    [b"", b"{", b"[]", b"{}", b"\xff", b"[" * 60_000, b'"' + b"x" * 70_000 + b'"', body(alert()).replace(b"warning", b"warn\\u0000")],
)
def test_what_is_no_notification_is_logged_and_acknowledged(
    notifier: ThreadlessNotifier, caplog: pytest.LogCaptureFixture, malformed: bytes
) -> None:
    notifier.dispatch(malformed, "bad")
    notifier.dispatch(alert(), "good")
    notifier.pass_time(1)
    assert notifier.acknowledged == ["bad", "good"]
    assert "is no notification" in caplog.text
    assert len(caplog.text) < 3000


def test_what_no_route_fits_is_acknowledged(tmp_path: Path) -> None:
    routes = [
        {"receivers": ["a"], "severities": ["critical"]},
        {"receivers": ["a", "b"], "rules": ["d*"], "sites": ["south"]},
    ]
    notifier = ThreadlessNotifier(tmp_path, routes=routes)
    notifier.dispatch(alert(1), "nobody")
    notifier.dispatch(alert(2, severity="critical"), "a")
    notifier.dispatch(alert(3, site_id="south", severity="critical"), "both")
    notifier.dispatch(alert(4, site_id=None, device_id=None, severity="critical"), "gateway")
    notifier.pass_time(1)
    notifier.sent_log.close()
    assert [number for number, _ in notifier.receivers["a"].received] == [alert(number).alert_id for number in (2, 3, 4)]
    assert [number for number, _ in notifier.receivers["b"].received] == [alert(3).alert_id]
    assert len(notifier.acknowledged) == 4


def test_a_disk_that_fails_after_the_receiver_answered_repeats_the_record_and_not_the_notification(notifier: ThreadlessNotifier) -> None:
    record, faults = notifier.sent_log.record, [OSError("no space"), OSError("no space")]

    def record_on_a_full_disk(*arguments: Any) -> None:
        if faults:
            raise faults.pop()
        record(*arguments)

    notifier.sent_log.record = record_on_a_full_disk  # type: ignore[method-assign]
    notifier.dispatch(alert(), "first")
    for _ in range(2):
        with pytest.raises(OSError, match="no space"):
            notifier.workers["a"].run_due()
        notifier.seconds += 1
    notifier.pass_time(5)
    assert (notifier.receivers["a"].received, notifier.acknowledged) == ([(alert().alert_id, 0)], ["first"])


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(0, 3), st.booleans()), max_size=40), st.integers(0, 10))
def test_no_notification_is_sent_twice_to_a_receiver_and_every_message_is_acknowledged(
    messages: list[tuple[int, int, bool]], failures: int
) -> None:

    with tempfile.TemporaryDirectory() as folder:
        notifier = ThreadlessNotifier(Path(folder), notify={"state_file": "sent.db", "max_per_hour": 1000})
        notifier.receivers["b"].failures = failures
        for number, revision, wait in messages:
            notifier.dispatch(alert(number, revision), "one")
            if wait:
                notifier.pass_time(2)
        notifier.pass_time(5000)
        notifier.sent_log.close()
        assert len(notifier.acknowledged) == len(messages)
        for receiver in notifier.receivers.values():
            assert len(set(receiver.received)) == len(receiver.received)
            for alert_id in {name for name, _ in receiver.received}:
                revisions = [revision for name, revision in receiver.received if name == alert_id]
                assert revisions == sorted(revisions)
                assert revisions[-1] == max(revision for number, revision, _ in messages if alert(number).alert_id == alert_id)
