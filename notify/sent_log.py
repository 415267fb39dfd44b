"""What was told: a small SQLite file, so that neither a redelivered message nor a restart tells it again.

A record is on disk when `record` returns. Used by any thread.
"""

from __future__ import annotations

import sqlite3
import threading
from datetime import datetime
from pathlib import Path

from schemas.envelope import micros
from schemas.records import Alert

TOLD, GAVE_UP, WITHHELD, OLD = "told", "gave_up", "withheld", "old"
"""What became of a notice in a receiver."""

_SCHEMA = """
create table if not exists told (
  alert_id text not null, revision integer not null, receiver text not null,
  rule text not null, site text not null, time_us integer not null, outcome text not null,
  primary key (alert_id, receiver, revision)
) without rowid;
create index if not exists told_of_rule on told (receiver, rule, site, time_us);
"""


class SentLogError(Exception):
    """The file cannot be opened; the text says why."""


class SentLog:
    """Close it. One process at a time."""

    def __init__(self, file: Path) -> None:
        """Raises ToldError."""
        self._lock = threading.Lock()
        try:
            self._database = sqlite3.connect(file, timeout=1.0, isolation_level=None, check_same_thread=False)
            self._database.execute("pragma locking_mode = exclusive")
            self._database.execute("pragma journal_mode = wal")
            self._database.execute("pragma synchronous = full")
            if "channel" in [column[1] for column in self._database.execute("pragma table_info(told)")]:
                self._database.execute("alter table told rename column channel to receiver")  # of before receivers had that name
            self._database.executescript(_SCHEMA)
        except sqlite3.Error as error:
            raise SentLogError(f"{file}: {error}: is another notifier running, and is the folder there?") from error

    def is_settled(self, alert: Alert, receiver: str) -> bool:
        """Whether this notice, or a later one of the same alert, is done with in the receiver."""
        sql = "select 1 from told where alert_id = ? and receiver = ? and revision >= ? limit 1"
        return self._one(sql, alert.alert_id, receiver, alert.revision) is not None

    def count(self, alert: Alert, receiver: str, since: datetime) -> int:
        """How many notices of the alert's rule and site the receiver told since then."""
        sql = f"select count(*) from told where receiver = ? and rule = ? and site = ? and time_us > ? and outcome = '{TOLD}'"
        found = self._one(sql, receiver, alert.rule, alert.site_id or "", micros(since))
        return found[0] if found else 0

    def record(self, alert: Alert, receiver: str, outcome: str, now: datetime) -> None:
        values = alert.alert_id, alert.revision, receiver, alert.rule, alert.site_id or "", micros(now), outcome
        with self._lock:
            self._database.execute("insert or replace into told values (?, ?, ?, ?, ?, ?, ?)", values)

    def forget(self, before: datetime) -> None:
        """Drops what is older: a notice of it would be too old to be told."""
        with self._lock:
            self._database.execute("delete from told where time_us < ?", (micros(before),))

    def close(self) -> None:
        with self._lock:
            self._database.close()

    def _one(self, sql: str, *values: object) -> tuple[int, ...] | None:
        with self._lock:
            found: tuple[int, ...] | None = self._database.execute(sql, values).fetchone()
        return found
