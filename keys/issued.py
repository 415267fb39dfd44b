"""Remembers what an authority has issued, taken back and promised: a SQLite file, which commands and the server may write at once.

Guarantees that a token is good once, however many ask with it at the same time, and that it cannot be read from the file.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from keys.error import KeysError
from keys.holder import Holder, Role

_TABLES = """
create table if not exists certificates (
  serial text primary key, name text not null, role text not null, hosts text not null, days real not null, start real not null,
  end real not null, revoked real
) strict;
create table if not exists tokens (
  sha256 blob primary key, name text not null, role text not null, days real not null, end real not null, used real
) strict;
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """Describes one certificate. `days` is its length of life, which its renewal gets, too."""

    serial: int
    holder: Holder
    days: float
    start: datetime
    end: datetime
    revoked: datetime | None = None

    def state(self, now: datetime) -> str:
        """Returns valid, revoked or expired."""
        return "revoked" if self.revoked else "expired" if now > self.end else "valid"


class IssuedCertificates:
    """Is asked and written in transactions, by any thread. Raises KeysError for a file that is none, or cannot be written."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def create(self) -> None:
        self._file.touch(0o600, exist_ok=False)
        with self._open() as database:
            database.executescript(_TABLES)

    def add(self, one: Issued) -> None:
        holder, ends = one.holder, (one.start.timestamp(), one.end.timestamp())
        row = f"{one.serial:x}", holder.name, holder.role, " ".join(holder.hosts), one.days, *ends
        with self._open() as database:
            database.execute("insert into certificates values (?, ?, ?, ?, ?, ?, ?, null)", row)

    def all(self) -> list[Issued]:
        """Returns every certificate, the oldest first."""
        return self._select("true")

    def of(self, name: str) -> list[Issued]:
        """Returns every certificate of a name, the oldest first."""
        return self._select("name = ?", name)

    def find(self, serial: int) -> Issued | None:
        return next(iter(self._select("serial = ?", f"{serial:x}")), None)

    def revoke(self, name: str, now: datetime) -> int:
        """Takes back every certificate of a name that is still good. Returns how many there were."""
        with self._open() as database:
            statement = "update certificates set revoked = ? where name = ? and revoked is null and end > ?"
            return database.execute(statement, (now.timestamp(), name, now.timestamp())).rowcount

    def promise(self, token: str, holder: Holder, days: float, end: datetime) -> None:
        """Remembers a token, by its hash, until `end`."""
        with self._open() as database:
            row = _hash(token), holder.name, holder.role, days, end.timestamp()
            database.execute("insert into tokens values (?, ?, ?, ?, ?, null)", row)

    def redeem(self, token: str, now: datetime) -> tuple[Holder, float]:
        """Uses a token up. Returns for whom it stands and how many days a certificate lasts. Raises KeysError."""
        with self._open() as database:
            statement = "update tokens set used = ? where sha256 = ? and used is null and end > ? returning name, role, days"
            row = database.execute(statement, (now.timestamp(), _hash(token), now.timestamp())).fetchone()
        if row is None:
            raise KeysError("the token is unknown, used or outdated: ask the authority for another")
        return Holder(row[0], Role(row[1])), row[2]

    def _select(self, where: str, *values: str) -> list[Issued]:
        statement = f"select serial, name, role, hosts, days, start, end, revoked from certificates where {where} order by start, rowid"
        with self._open() as database:
            return [_issued(row) for row in database.execute(statement, values)]

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        database = sqlite3.connect(f"{self._file.absolute().as_uri()}?mode=rw", timeout=10.0, uri=True)
        try:
            with database:
                yield database
        except sqlite3.Error as error:
            raise KeysError(f"{self._file}: {error}") from error
        finally:
            database.close()


def _hash(token: str) -> bytes:
    return sha256(token.encode()).digest()


def _issued(row: tuple[str, str, str, str, float, float, float, float | None]) -> Issued:
    serial, name, role, hosts, days, start, end, revoked = row
    holder, when = Holder(name, Role(role), hosts.split()), datetime.fromtimestamp(revoked, UTC) if revoked else None
    ends = datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(end, UTC)
    return Issued(serial=int(serial, 16), holder=holder, days=days, start=ends[0], end=ends[1], revoked=when)
