"""Each notice once in each receiver, whatever fails and comes again; the clock is the test's own."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify.dispatch import Dispatcher, ReceiverWorker
from notify.receivers import ReceiverError
from notify.sent_log import SentLog, SentLogError
from schemas.records import Alert
from tests.notify.notices import NOW, alert, body, config


class Ear:
    """A receiver that remembers, and fails so many times."""

    def __init__(self, name: str) -> None:
        self.name, self.failures = name, 0
        self.heard: list[tuple[str, int]] = []
        self.remarks: list[str] = []

    def tell(self, alert: Alert, remark: str) -> None:
        if self.failures:
            self.failures -= 1
            raise ReceiverError(f"{self.name} is down")
        self.heard.append((alert.alert_id, alert.revision))
        self.remarks.append(remark)


@dataclass
class Slip:
    """A message's receipt."""

    name: str
    acknowledged: list[str]

    def ack(self) -> None:
        self.acknowledged.append(self.name)


class House:
    """A notifier without threads: time passes when the test says so."""

    def __init__(self, folder: Path, receivers: tuple[str, ...] = ("a", "b"), **sections: Any) -> None:
        webhooks = [{"name": name, "url": "http://127.0.0.1/"} for name in receivers]
        sections = {"routes": [{"receivers": list(receivers)}], "webhooks": webhooks} | sections
        self.config, self.seconds = config(folder, **sections), 0.0
        self.acknowledged = list[str]()
        self.told = SentLog(self.config.notify.state_file)
        self.ears = {name: Ear(name) for name in receivers}
        self.outlets = {
            name: ReceiverWorker(ear, self.told, self.config, self.now, lambda: self.seconds, Random(1)) for name, ear in self.ears.items()
        }
        self.counter = Dispatcher(self.config, self.told, self.outlets, self.now)

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.seconds)

    def take(self, told: Alert | bytes, name: str = "") -> None:
        self.counter.take(told if isinstance(told, bytes) else body(told), Slip(name, self.acknowledged))

    def pass_time(self, seconds: float) -> None:
        """Turns every receiver whenever something is due."""
        end = self.seconds + seconds
        while True:
            due = min(outlet.turn() for outlet in self.outlets.values())
            if self.seconds + due > end:
                break
            self.seconds += due
        self.seconds = end


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    yield made
    made.told.close()


def test_a_notice_is_told_in_every_receiver_of_its_routes_and_then_acknowledged(house: House) -> None:
    house.ears["b"].failures = 3
    house.take(alert(), "first")
    house.outlets["a"].turn()
    assert (house.ears["a"].heard, house.acknowledged) == ([(alert().alert_id, 0)], [])
    house.pass_time(60)
    assert (house.ears["b"].heard, house.acknowledged) == ([(alert().alert_id, 0)], ["first"])


def test_a_message_that_comes_again_is_told_once_and_acknowledged_each_time(house: House) -> None:
    house.ears["a"].failures = 2
    for name in ("first", "again"):
        house.take(alert(), name)
    house.pass_time(60)
    house.take(alert(), "later")
    house.pass_time(1)
    assert [ear.heard for ear in house.ears.values()] == [[(alert().alert_id, 0)]] * 2
    assert sorted(house.acknowledged) == ["again", "first", "later"]


def test_a_restart_tells_only_the_receivers_that_do_not_have_it(tmp_path: Path) -> None:
    before = House(tmp_path)
    before.ears["b"].failures = 100
    before.take(alert(), "before")
    before.pass_time(5)
    before.told.close()
    after = House(tmp_path)
    after.take(alert(), "after")
    after.pass_time(5)
    after.told.close()
    assert (before.acknowledged, after.acknowledged) == ([], ["after"])
    assert (after.ears["a"].heard, after.ears["b"].heard) == ([], [(alert().alert_id, 0)])


def test_a_receiver_that_fails_holds_up_no_other_and_no_later_notice_of_its_own(house: House) -> None:
    house.ears["b"].failures = 1
    house.take(alert(1))
    house.outlets["b"].turn()
    house.take(alert(2))
    house.outlets["b"].turn()
    house.outlets["a"].turn()
    assert house.ears["b"].heard == [(alert(2).alert_id, 0)]
    assert house.ears["a"].heard == [(alert(1).alert_id, 0)]


def test_an_older_revision_is_not_told_after_a_newer_one(house: House) -> None:
    house.ears["a"].failures = 1
    house.take(alert(), "opened")
    house.outlets["a"].turn()
    house.take(alert(revision=1), "resolved")
    house.pass_time(60)
    assert house.ears["a"].heard == [(alert().alert_id, 1)]
    assert sorted(house.acknowledged) == ["opened", "resolved"]
    house.take(alert(), "stray")
    assert house.acknowledged[-1] == "stray"


def test_it_is_given_up_loudly_after_max_elapsed_time(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    house = House(tmp_path, ("a",), retry={"max_elapsed_time": 100.0, "max_interval": 10.0})
    house.ears["a"].failures = 10**9
    house.take(alert(), "first")
    house.pass_time(85)
    assert house.acknowledged == []
    house.pass_time(20)
    assert house.acknowledged == ["first"]
    assert "GIVEN UP" in caplog.text
    house.ears["a"].failures = 0
    house.take(alert(), "again")
    house.pass_time(20)
    house.told.close()
    assert (house.ears["a"].heard, house.acknowledged) == ([], ["first", "again"])


def test_zero_never_gives_up(tmp_path: Path) -> None:
    house = House(tmp_path, ("a",), retry={"max_elapsed_time": 0.0, "max_interval": 3600.0})
    house.ears["a"].failures = 200
    house.take(alert(), "first")
    house.pass_time(30 * 86_400)
    house.told.close()
    assert house.acknowledged == ["first"]


def test_six_an_hour_of_one_rule_and_site_and_the_sixth_says_so(tmp_path: Path) -> None:
    house = House(tmp_path, ("a",))
    for number in range(20):
        house.take(alert(number), str(number))
        house.take(alert(100 + number, site_id="south"), "south")
    house.pass_time(1)
    heard = house.ears["a"].heard
    assert len(heard) == 12
    assert len(house.acknowledged) == 40
    assert [bool(remark) for remark in house.ears["a"].remarks].count(True) == 2
    house.pass_time(3600)
    house.take(alert(99, as_of=house.now()), "an hour later")
    house.pass_time(1)
    house.told.close()
    assert len(heard) == 13


def test_an_old_notice_is_acknowledged_and_told_to_nobody(house: House) -> None:
    house.take(alert(as_of=NOW - timedelta(seconds=21_601)), "old")
    house.take(alert(2, as_of=NOW - timedelta(seconds=21_600)), "just not")
    house.pass_time(1)
    assert house.ears["a"].heard == [(alert(2).alert_id, 0)]
    assert house.acknowledged == ["old", "just not"]


@pytest.mark.parametrize(
    "malformed",
    [b"", b"{", b"[]", b"{}", b"\xff", b"[" * 60_000, b'"' + b"x" * 70_000 + b'"', body(alert()).replace(b"warning", b"warn\\u0000")],
)
def test_what_is_no_notice_is_logged_and_acknowledged(house: House, caplog: pytest.LogCaptureFixture, malformed: bytes) -> None:
    house.take(malformed, "bad")
    house.take(alert(), "good")
    house.pass_time(1)
    assert house.acknowledged == ["bad", "good"]
    assert "is no notice" in caplog.text
    assert len(caplog.text) < 3000


def test_what_no_route_fits_is_acknowledged(tmp_path: Path) -> None:
    routes = [
        {"receivers": ["a"], "severities": ["critical"]},
        {"receivers": ["a", "b"], "rules": ["d*"], "sites": ["south"]},
    ]
    house = House(tmp_path, routes=routes)
    house.take(alert(1), "nobody")
    house.take(alert(2, severity="critical"), "a")
    house.take(alert(3, site_id="south", severity="critical"), "both")
    house.take(alert(4, site_id=None, device_id=None, severity="critical"), "gateway")
    house.pass_time(1)
    house.told.close()
    assert [number for number, _ in house.ears["a"].heard] == [alert(number).alert_id for number in (2, 3, 4)]
    assert [number for number, _ in house.ears["b"].heard] == [alert(3).alert_id]
    assert len(house.acknowledged) == 4


def test_a_disk_that_fails_after_the_receiver_answered_repeats_the_record_and_not_the_notice(house: House) -> None:
    record, faults = house.told.record, [OSError("no space"), OSError("no space")]

    def failing(*arguments: Any) -> None:
        if faults:
            raise faults.pop()
        record(*arguments)

    house.told.record = failing  # type: ignore[method-assign]
    house.take(alert(), "first")
    for _ in range(2):
        with pytest.raises(OSError, match="no space"):
            house.outlets["a"].turn()
        house.seconds += 1
    house.pass_time(5)
    assert (house.ears["a"].heard, house.acknowledged) == ([(alert().alert_id, 0)], ["first"])


def test_a_file_of_an_earlier_version_is_taken_over(tmp_path: Path) -> None:
    """Its receivers were called channels."""
    with closing(sqlite3.connect(tmp_path / "told.db")) as old:
        old.execute(
            "create table told (alert_id text not null, revision integer not null, channel text not null, rule text not null, "
            "site text not null, time_us integer not null, outcome text not null, primary key (alert_id, channel, revision)) without rowid"
        )
        old.execute("create index told_of_rule on told (channel, rule, site, time_us)")
        old.execute("insert into told values (?, 3, 'mail', 'dry', 'north', 1, 'told')", (alert().alert_id,))
        old.commit()
    with closing(SentLog(tmp_path / "told.db")) as told:
        assert told.is_settled(alert(revision=3), "mail")
        assert not told.is_settled(alert(revision=4), "mail")


def test_a_second_notifier_on_the_same_file_is_refused(house: House, tmp_path: Path) -> None:
    with pytest.raises(SentLogError, match="another notifier"):
        SentLog(tmp_path / "told.db")


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(0, 3), st.booleans()), max_size=40), st.integers(0, 10))
def test_no_notice_is_told_twice_in_a_receiver_and_every_message_is_acknowledged(
    messages: list[tuple[int, int, bool]], failures: int
) -> None:

    with tempfile.TemporaryDirectory() as folder:
        house = House(Path(folder), notify={"state_file": "told.db", "max_per_hour": 1000})
        house.ears["b"].failures = failures
        for number, revision, wait in messages:
            house.take(alert(number, revision), "one")
            if wait:
                house.pass_time(2)
        house.pass_time(5000)
        house.told.close()
        assert len(house.acknowledged) == len(messages)
        for ear in house.ears.values():
            assert len(set(ear.heard)) == len(ear.heard)
            for alert_id in {name for name, _ in ear.heard}:
                revisions = [revision for name, revision in ear.heard if name == alert_id]
                assert revisions == sorted(revisions)
                assert revisions[-1] == max(revision for number, revision, _ in messages if alert(number).alert_id == alert_id)
