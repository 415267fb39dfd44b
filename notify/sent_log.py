"""Keeps the log of what was sent: a small SQLite file, so that neither a redelivered message nor a restart sends it again.

A record is on disk when `record` returns. Used by any thread.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

from schemas import notification
from schemas.envelope import from_micros, micros
from schemas.records import Alert


class Outcome(StrEnum):
    """Says what became of a notification in a receiver."""

    SENT = "sent"
    SENT_WITH_OTHERS = "sent_with_others"
    """It was in the notice of another alert of its rule and site, which is SENT."""
    GAVE_UP = "gave_up"
    TOO_OLD = "too_old"


_SCHEMA = """
create table if not exists sent_log (
  alert_id text not null, revision integer not null, receiver text not null,
  rule text not null, site text not null, time_us integer not null, outcome text not null,
  primary key (alert_id, receiver, revision)
) without rowid;
create table if not exists waiting (
  receiver text not null, rule text not null, site text not null, taken integer not null,
  alert_id text not null, revision integer not null, time_us integer not null, notification blob not null,
  primary key (receiver, rule, site, taken, alert_id)
) without rowid;
create index if not exists waiting_of_alert on waiting (alert_id, receiver);
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


class Group(NamedTuple):
    """Names what is bounded and gathered together: a rule and a site, which is empty for a gateway's alerts."""

    rule: str
    site: str

    @classmethod
    def of(cls, alert: Alert) -> Group:
        return cls(alert.rule, alert.site_id or "")


_DELETE_WAITING = """
delete from waiting where receiver = ? and rule = ? and site = ? and taken in (0, 1) and alert_id = ? and revision <= ?
"""
"""Both values of `taken` are named so that the primary key finds the row."""


class SentLogError(Exception):
    """The file cannot be opened; the text says why."""


class SentLog:
    """Knows what became of every notification in every receiver, and keeps those that wait to be sent together. One process; close it.

    In use: `sent_log.record([alert], name, Outcome.SENT, now); sent_log.is_settled(alert, name)`; for what waits: `sent_log.wait(alert,
    name, now)`, then `alerts = sent_log.take_waiting(group, name)`, which are the same until they are recorded.
    """

    def __init__(self, file: Path) -> None:
        """Opens the file. Raises SentLogError."""
        self._lock = threading.Lock()
        try:
            self._database = _open(file)
        except sqlite3.Error as error:
            raise SentLogError(f"{file}: {error}: is another notifier running, and is the folder there?") from error

    def is_settled(self, alert: Alert, receiver: str) -> bool:
        """Tells whether this notification, or a later one of the same alert, is done with in the receiver, or waits here."""
        one = "select 1 from {} where alert_id = ? and receiver = ? and revision >= ?"
        sql = f"{one.format('sent_log')} union all {one.format('waiting')} limit 1"
        return bool(self._rows(sql, *(alert.alert_id, receiver, alert.revision) * 2))

    def sent_times(self, group: Group, receiver: str, since: datetime) -> list[datetime]:
        """Returns when notices of the group were sent to the receiver since then, in their order."""
        sql = "select time_us from sent_log where receiver = ? and rule = ? and site = ? and time_us > ? and outcome = ? order by time_us"
        return [from_micros(time) for (time,) in self._rows(sql, receiver, *group, micros(since), Outcome.SENT)]

    def record(self, alerts: Sequence[Alert], receiver: str, outcome: Outcome, now: datetime) -> None:
        """Records what came of a notice of these alerts of one group, wholly or not at all. They wait no longer."""
        others = Outcome.SENT_WITH_OTHERS if outcome == Outcome.SENT else outcome
        with self._transaction() as database:
            for number, alert in enumerate(alerts):
                values = alert.alert_id, alert.revision, receiver, *Group.of(alert), micros(now), others if number else outcome
                database.execute("insert or replace into sent_log values (?, ?, ?, ?, ?, ?, ?)", values)
                key = receiver, *Group.of(alert), alert.alert_id, alert.revision
                database.execute(
                    _DELETE_WAITING,
                    key,
                )

    def wait(self, alert: Alert, receiver: str, now: datetime) -> None:
        """Keeps a notification that is to be sent with others, instead of an earlier one of the same alert that waits."""
        values = receiver, *Group.of(alert), alert.alert_id, alert.revision, micros(now), notification.encode(alert)[1]
        with self._lock:
            self._database.execute("insert or replace into waiting values (?, ?, ?, 0, ?, ?, ?, ?)", values)

    def waiting_groups(self, receiver: str) -> list[Group]:
        return [Group(*row) for row in self._rows("select distinct rule, site from waiting where receiver = ?", receiver)]

    def is_waiting(self, group: Group, receiver: str) -> bool:
        sql = "select 1 from waiting where receiver = ? and rule = ? and site = ? limit 1"
        return bool(self._rows(sql, receiver, *group))

    def take_waiting(self, group: Group, receiver: str) -> list[Alert]:
        """Returns what waits to be sent as one notice: the same alerts until they are recorded, whatever else comes, and after a kill."""
        where = "where receiver = ? and rule = ? and site = ?"
        key = receiver, *group
        if not self._rows(f"select 1 from waiting {where} and taken = 1 limit 1", *key):
            with self._lock:
                self._database.execute(f"update waiting set taken = 1 {where} and taken = 0", key)
        return [notification.parse(body) for (body,) in self._rows(f"select notification from waiting {where} and taken = 1", *key)]

    def forget(self, before: datetime) -> None:
        """Drops what is older: a notification of it would be too old to be sent."""
        with self._transaction() as database:
            for table in ("sent_log", "waiting"):
                database.execute(f"delete from {table} where time_us < ?", (micros(before),))

    def close(self) -> None:
        with self._lock:
            self._database.close()

    def _rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._database.execute(sql, values).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._database.execute("begin immediate")
            try:
                yield self._database
                self._database.execute("commit")
            except BaseException:
                self._database.execute("rollback")
                raise


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
