"""Keeps the log of what was sent: a small SQLite file, so that neither a redelivered message nor a restart sends it again.

A record is on disk when `record` returns. Used by any thread.
"""

from __future__ import annotations

import sqlite3
import threading
from contextlib import ExitStack, closing
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from schemas.envelope import micros
from schemas.records import Alert


class Outcome(StrEnum):
    """Says what became of a notification in a receiver."""

    SENT = "sent"
    GAVE_UP = "gave_up"
    RATE_LIMITED = "rate_limited"
    TOO_OLD = "too_old"


_SCHEMA = """
create table if not exists sent_log (
  alert_id text not null, revision integer not null, receiver text not null,
  rule text not null, site text not null, time_us integer not null, outcome text not null,
  primary key (alert_id, receiver, revision)
) without rowid;
create index if not exists sent_log_of_rule on sent_log (receiver, rule, site, time_us);
"""

_MIGRATION = """
begin immediate;
{rename_channel}
update told set outcome = 'sent' where outcome = 'told';
update told set outcome = 'rate_limited' where outcome = 'withheld';
update told set outcome = 'too_old' where outcome = 'old';
insert or replace into sent_log select * from told;
drop table told;
commit;
"""
"""A file of an earlier version has the table `told`; in the very first ones receivers were called channels. After a step back to an
earlier version and forth again the file has both tables.
"""


class SentLogError(Exception):
    """The file cannot be opened; the text says why."""


class SentLog:
    """Knows what became of every notification in every receiver. One process at a time; close it.

    In use: `sent_log.record(alert, name, Outcome.SENT, now); sent_log.is_settled(alert, name)`.
    """

    def __init__(self, file: Path) -> None:
        """Opens the file. Raises SentLogError."""
        self._lock = threading.Lock()
        try:
            self._database = _open(file)
        except sqlite3.Error as error:
            raise SentLogError(f"{file}: {error}: is another notifier running, and is the folder there?") from error

    def is_settled(self, alert: Alert, receiver: str) -> bool:
        """Tells whether this notification, or a later one of the same alert, is done with in the receiver."""
        sql = "select 1 from sent_log where alert_id = ? and receiver = ? and revision >= ? limit 1"
        return self._first_row(sql, alert.alert_id, receiver, alert.revision) is not None

    def count(self, alert: Alert, receiver: str, since: datetime) -> int:
        """Counts how many notifications of the alert's rule and site were sent to the receiver since then."""
        sql = "select count(*) from sent_log where receiver = ? and rule = ? and site = ? and time_us > ? and outcome = ?"
        row = self._first_row(sql, receiver, alert.rule, alert.site_id or "", micros(since), Outcome.SENT)
        return row[0] if row else 0

    def record(self, alert: Alert, receiver: str, outcome: Outcome, now: datetime) -> None:
        values = alert.alert_id, alert.revision, receiver, alert.rule, alert.site_id or "", micros(now), outcome
        with self._lock:
            self._database.execute("insert or replace into sent_log values (?, ?, ?, ?, ?, ?, ?)", values)

    def forget(self, before: datetime) -> None:
        """Drops what is older: a notification of it would be too old to be sent."""
        with self._lock:
            self._database.execute("delete from sent_log where time_us < ?", (micros(before),))

    def close(self) -> None:
        with self._lock:
            self._database.close()

    def _first_row(self, sql: str, *values: object) -> tuple[int, ...] | None:
        with self._lock:
            row: tuple[int, ...] | None = self._database.execute(sql, values).fetchone()
        return row


def _open(file: Path) -> sqlite3.Connection:
    with ExitStack() as stack:
        database = stack.enter_context(closing(sqlite3.connect(file, timeout=1.0, isolation_level=None, check_same_thread=False)))
        for pragma in ("locking_mode = exclusive", "journal_mode = wal", "synchronous = full"):
            database.execute(f"pragma {pragma}")
        database.executescript(_SCHEMA)
        _migrate(database)
        stack.pop_all()
    return database


def _migrate(database: sqlite3.Connection) -> None:
    """Brings a file of an earlier version to this one's names, wholly or not at all."""
    if earlier := [column[1] for column in database.execute("pragma table_info(told)")]:
        rename = "alter table told rename column channel to receiver;" if "channel" in earlier else ""
        database.executescript(_MIGRATION.format(rename_channel=rename))
