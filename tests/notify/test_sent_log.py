"""What was sent stays known: files of earlier versions are taken over, and a file has one notifier."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from notify.sent_log import Group, Outcome, SentLog, SentLogError
from schemas.envelope import micros
from tests.notify.alerts import NOW, alert

NORTH = Group("dry", "north")
YEAR_1 = datetime(1, 1, 2, tzinfo=UTC)


def write_earlier_file(file: Path, receiver_column: str) -> None:
    """As the versions wrote it that called what was sent `told`; alert 1 was sent, alert 2 was over the limit."""
    with closing(sqlite3.connect(file)) as database:
        database.executescript(f"""
            create table told (
              alert_id text not null, revision integer not null, {receiver_column} text not null,
              rule text not null, site text not null, time_us integer not null, outcome text not null,
              primary key (alert_id, {receiver_column}, revision)
            ) without rowid;
            create index told_of_rule on told ({receiver_column}, rule, site, time_us);
        """)
        for number, outcome in ((1, "told"), (2, "withheld")):
            values = alert(number).alert_id, 3, "mail", "dry", "north", micros(NOW), outcome
            database.execute("insert into told values (?, ?, ?, ?, ?, ?, ?)", values)
        database.commit()


@pytest.mark.parametrize("receiver_column", ["receiver", "channel"])
def test_a_file_of_an_earlier_version_is_taken_over(tmp_path: Path, receiver_column: str) -> None:
    write_earlier_file(tmp_path / "told.db", receiver_column)
    for _ in range(2):
        with closing(SentLog(tmp_path / "told.db")) as sent_log:
            assert sent_log.is_settled(alert(1, revision=3), "mail")
            assert sent_log.is_settled(alert(2, revision=3), "mail")
            assert not sent_log.is_settled(alert(1, revision=4), "mail")
            assert sent_log.sent_times(NORTH, "mail", YEAR_1) == [NOW]


def test_a_file_that_an_earlier_version_used_once_more_keeps_what_both_have_sent(tmp_path: Path) -> None:
    with closing(SentLog(tmp_path / "told.db")) as sent_log:
        sent_log.record([alert(3)], "mail", Outcome.SENT, NOW)
    write_earlier_file(tmp_path / "told.db", "receiver")
    for _ in range(2):
        with closing(SentLog(tmp_path / "told.db")) as sent_log:
            assert all(sent_log.is_settled(each, "mail") for each in (alert(1, revision=3), alert(2, revision=3), alert(3)))
            assert sent_log.sent_times(NORTH, "mail", YEAR_1) == [NOW, NOW]


def test_a_second_notifier_on_the_same_file_is_refused(tmp_path: Path) -> None:
    with closing(SentLog(tmp_path / "sent.db")), pytest.raises(SentLogError, match="another notifier"):
        SentLog(tmp_path / "sent.db")
