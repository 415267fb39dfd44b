"""The gateway's store: a journal of accepted readings and an outbox of cut batches in one SQLite file. Thread-safe.

Guarantees: what `append` or `cut` returned survives kill -9 and power loss; a batch is stored under its number in the same
transaction that closes its journal rows, and its bytes never change; no number is given twice; the file and its log stay within
`max_bytes`; when that is reached the oldest batches of the lowest priority go first, each with a row in the ledger.
Thinning (merging windows before dropping them) is not done yet.
"""

from __future__ import annotations

import json
import secrets
import struct
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from threading import RLock
from types import MappingProxyType
from typing import Any

from edge.batch import Parcel
from edge.database import Connection, Database, StoreError, StoreFull, StoreLocked, add, connect, pages
from edge.ledger import Ledger, account, record_drop
from schemas.envelope import Envelope, micros

__all__ = ["Closed", "Entry", "Ledger", "OutboxBatch", "Store", "StoreError", "StoreFull", "StoreLocked"]

COMMITS_REMEMBERED = 512
"""How many commits back a re-delivered reading is recognised; more than a broker keeps in flight."""
_EVICTED_AT_ONCE = 100
_SWEPT_AT_ONCE = 500
_READ_AT_ONCE = 500
_NOTHING: Mapping[str, Any] = MappingProxyType({})

_TABLES = """
create table state (name text primary key, value) without rowid;
create table counters (name text primary key, value integer not null) without rowid;
create table memory (name text primary key, value blob not null) without rowid;
create table journal (id integer primary key, window_end_us integer not null, body blob not null);
create table commits (last_id integer primary key, identities blob not null);
create table outbox (seq integer primary key, priority integer not null, cut_us integer not null, readings integer not null,
                     attributes text not null, body blob not null);
create index outbox_order on outbox (priority desc, seq);
create table dropped (first integer primary key, last integer not null);
create index dropped_last on dropped (last)
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """One accepted reading (or message) for the journal, with the end of its window in microseconds since 1970."""

    window_end_us: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Closed:
    """Journal rows that a cut makes superfluous: windows up to this end, rows up to this id. Both never descend."""

    window_end_us: int
    journal_id: int


@dataclass(frozen=True, slots=True)
class OutboxBatch:
    """A batch that waits for confirmation."""

    envelope: Envelope
    body: bytes


class Store:
    """The one owner of the file; a second one, in this process or another, gets StoreLocked."""

    def __init__(self, path: Path, gateway_id: str, max_bytes: int, connect: Callable[[Path], Connection] = connect) -> None:
        """Creates the file with a new epoch, or opens it. Raises StoreLocked, and StoreError for another gateway's or a broken file."""
        self._lock = RLock()
        self.gateway_id, self.max_bytes = gateway_id, max_bytes
        self._database = Database(path, max_bytes, _TABLES, connect)
        # The last part is kept free from readings so that windows can still be cut, the last pages from batches so that drops can be recorded.
        self._readings_reserve, self._batches_reserve = max(16, self._database.max_pages // 16), 8
        try:
            self.epoch = self._claim()
            self._last_id = int(self._value("select max(last_id) from commits") or 0)
            self._sweep()
        except BaseException:
            self._database.close()
            raise

    def close(self) -> None:
        with self._lock:
            self._database.close()

    def append(self, entries: Sequence[Entry], identities: bytes = b"") -> range:
        """Adds to the journal in one durable commit and returns the ids. Raises StoreFull: nothing was written, do not acknowledge.

        `identities`: 8 bytes for each reading whose repetition must be recognised after a crash.
        """
        with self._lock:
            needed = self._room([len(entry.body) for entry in entries], identities)
            if self._make_room(needed + self._readings_reserve) < needed + self._readings_reserve:
                raise StoreFull(f"{self._database.path}: full: {self.max_bytes} bytes, and no batch to drop")
            ids = range(self._last_id + 1, self._last_id + 1 + len(entries))
            if entries:
                self._append(ids, entries, identities)
                self._last_id = ids[-1]
            return ids

    def replay(self) -> Iterator[tuple[int, int, bytes]]:
        """Journal rows (id, window_end_us, body) that no cut has closed, in order of id."""
        after = 0
        while rows := self._journal_after(after):
            yield from rows
            after = rows[-1][0]

    def recent_identities(self) -> list[int]:
        """Identities of the last commits, oldest first, each read as an unsigned big-endian integer."""
        with self._lock:
            rows = self._database.read("select identities from commits order by last_id")
        return [number for (blob,) in rows for (number,) in struct.iter_unpack(">Q", blob)]

    def cut(
        self,
        parcels: Sequence[Parcel],
        now: datetime,
        *,
        closed: Closed | None = None,
        memory: Mapping[str, bytes | None] = _NOTHING,
        counters: Mapping[str, int] = _NOTHING,
    ) -> list[Envelope]:
        """Names the parcels and stores them, closes journal rows, updates memory (None deletes) and adds to counters, all or nothing.

        For lack of room batches of lower or the same priority are dropped; a parcel that still finds none is itself dropped,
        by its name, so that a cut always succeeds. Raises ValueError if it is too large for one commit, StoreFull if the disk is full.
        """
        with self._lock:
            small = self._room([], *(value or b"" for value in memory.values()), *(name.encode() for name in counters))
            self._make_room(small + self._batches_reserve)
            kept = self._admit(parcels, small)
            with self._database.transaction() as connection:
                envelopes = self._write(connection, parcels, now, kept)
                self._remember(connection, memory)
                add(connection, counters)
                if closed:
                    self._close(connection, closed)
            if closed:
                self._sweep()
            return envelopes

    def memory(self, prefix: str = "") -> dict[str, bytes]:
        """What cuts have remembered under names that begin so."""
        with self._lock:
            sql = "select name, value from memory where name >= ? and substr(name, 1, ?) = ? order by name"
            return dict(self._database.read(sql, prefix, len(prefix), prefix))

    def pending(self, limit: int, *, skip: Collection[int] = ()) -> list[OutboxBatch]:
        """Waiting batches but those of seqs `skip`, highest priority first, then oldest."""
        with self._lock:
            found = self._database.read("select seq from outbox order by priority desc, seq limit ?", limit + len(skip))
            return self._batches([seq for (seq,) in found if seq not in skip][:limit])

    def batches(self, after: int, limit: int) -> list[OutboxBatch]:
        """Waiting batches by seq, from the one that follows `after`."""
        with self._lock:
            return self._batches([seq for (seq,) in self._database.read("select seq from outbox where seq > ? order by seq limit ?", after, limit)])

    def confirm(self, seqs: Iterable[int]) -> None:
        """Removes batches that have arrived. One that was dropped or confirmed before is left in peace."""
        with self._lock, self._database.transaction() as connection:
            here = [(seq,) for seq in set(seqs) if connection.execute("select 1 from outbox where seq = ?", (seq,)).fetchone()]
            connection.executemany("delete from outbox where seq = ?", here)
            add(connection, {"batches_confirmed": len(here)})

    def ledger(self) -> Ledger:
        with self._lock:
            return account(self._database, self._last_id, self.max_bytes)

    def _claim(self) -> int:
        """The epoch of a store that is ours."""
        with self._database.transaction() as connection:
            names = [("gateway_id", self.gateway_id), ("epoch", secrets.randbits(48))]
            connection.executemany("insert or ignore into state values (?, ?)", names)
        owner = self._value("select value from state where name = 'gateway_id'")
        if owner != self.gateway_id:
            raise StoreError(f"{self._database.path} belongs to gateway {owner!r}, not {self.gateway_id!r}: move it away or correct the id")
        return int(self._value("select value from state where name = 'epoch'"))

    def _append(self, ids: range, entries: Sequence[Entry], identities: bytes) -> None:
        with self._database.transaction() as connection:
            rows = ((at, entry.window_end_us, entry.body) for at, entry in zip(ids, entries, strict=True))
            connection.executemany("insert into journal values (?, ?, ?)", rows)
            # The newest row is never deleted: it is also the memory of the last journal id.
            connection.execute("insert into commits values (?, ?)", (ids[-1], identities))
            oldest = "delete from commits where last_id < (select last_id from commits order by last_id desc limit 1 offset ?)"
            connection.execute(oldest, (COMMITS_REMEMBERED - 1,))

    def _write(self, connection: Connection, parcels: Sequence[Parcel], now: datetime, kept: Sequence[bool]) -> list[Envelope]:
        first = int(self._value("select coalesce((select value from counters where name = 'batches_cut'), 0)")) + 1
        envelopes = [self._envelope(parcel, seq, now) for seq, parcel in enumerate(parcels, first)]
        for envelope, parcel, fits in zip(envelopes, parcels, kept, strict=True):
            if fits:
                row = (envelope.seq, parcel.priority, micros(now), parcel.readings, json.dumps(envelope.attributes()), parcel.body)
                connection.execute("insert into outbox values (?, ?, ?, ?, ?, ?)", row)
            else:
                record_drop(connection, envelope.seq, parcel.readings)
        add(connection, {"batches_cut": len(parcels)})
        return envelopes

    def _envelope(self, parcel: Parcel, seq: int, now: datetime) -> Envelope:
        return Envelope(
            gateway_id=self.gateway_id,
            epoch=self.epoch,
            seq=seq,
            kind=parcel.kind,
            row_count=parcel.row_count,
            raw_bytes=parcel.raw_bytes,
            priority=parcel.priority,
            cut_time=now,
            time_min=parcel.time_min,
            time_max=parcel.time_max,
        )

    def _remember(self, connection: Connection, memory: Mapping[str, bytes | None]) -> None:
        connection.executemany("delete from memory where name = ?", [(name,) for name, value in memory.items() if value is None])
        connection.executemany("insert or replace into memory values (?, ?)", [pair for pair in memory.items() if pair[1] is not None])

    def _close(self, connection: Connection, closed: Closed) -> None:
        """Marks journal rows as cut; they are swept out in small commits afterwards, since one large commit would swell the log."""
        before = self._closed()
        if closed.window_end_us < before.window_end_us or closed.journal_id < before.journal_id:
            raise ValueError(f"{closed} descends from {before}")
        values = [("closed_window_end_us", closed.window_end_us), ("closed_journal_id", closed.journal_id)]
        connection.executemany("insert or replace into state values (?, ?)", values)

    def _closed(self) -> Closed:
        held = dict(self._database.read("select name, value from state where name like 'closed%'"))
        return Closed(held["closed_window_end_us"], held["closed_journal_id"]) if held else _NEVER

    def _sweep(self) -> None:
        """Deletes closed journal rows. What a crash leaves is swept at the next start; `replay` does not show it meanwhile."""
        closed, done = self._closed(), 0
        sql = "select id from journal where id > ? and id <= ? and window_end_us <= ? order by id limit ?"
        # A full disk cannot take the log of a deletion either; the rows wait, the cut that closed them stands.
        with suppress(StoreFull):
            while ids := self._database.read(sql, done, closed.journal_id, closed.window_end_us, _SWEPT_AT_ONCE):
                with self._database.transaction() as connection:
                    connection.executemany("delete from journal where id = ?", ids)
                done = ids[-1][0]

    def _journal_after(self, after: int) -> list[tuple[int, int, bytes]]:
        with self._lock:
            closed = self._closed()
            sql = "select id, window_end_us, body from journal where id > ? and not (window_end_us <= ? and id <= ?) order by id limit ?"
            return self._database.read(sql, after, closed.window_end_us, closed.journal_id, _READ_AT_ONCE)

    def _batches(self, seqs: Sequence[int]) -> list[OutboxBatch]:
        rows = (self._database.read("select attributes, body from outbox where seq = ?", seq)[0] for seq in seqs)
        return [OutboxBatch(Envelope.parse(json.loads(attributes)), body) for attributes, body in rows]

    def _room(self, bodies: Iterable[int], *others: bytes) -> int:
        """Pages that a commit may need. Raises ValueError for one that the log has no room for."""
        needed = pages([*bodies, *map(len, others)])
        if needed > self._database.max_commit_pages:
            raise ValueError(f"{needed} pages in one commit, but a store of {self.max_bytes} bytes takes {self._database.max_commit_pages}")
        return needed

    def _admit(self, parcels: Sequence[Parcel], small: int) -> list[bool]:
        """Which parcels find room, the highest priority first, after dropping what is of lower or the same priority."""
        self._room([len(parcel.body) for parcel in parcels])
        needed, kept = small + self._batches_reserve, [False] * len(parcels)
        for at in sorted(range(len(parcels)), key=lambda at: -parcels[at].priority):
            wanted = needed + pages([len(parcels[at].body)])
            if kept_now := self._make_room(wanted, parcels[at].priority) >= wanted:
                needed, kept[at] = wanted, kept_now
        return kept

    def _make_room(self, needed: int, priority: int = 9) -> int:
        """Drops batches up to this priority until so many pages are free or none is left; returns the free pages."""
        while (free := self._database.free_pages()) < needed and self._evict(needed - free, priority):
            pass
        return free

    def _evict(self, wanted: int, priority: int) -> bool:
        """Drops the oldest batches of the lowest priority, about so many pages of them."""
        sql = "select seq, readings, length(body) from outbox where priority = (select min(priority) from outbox) and priority <= ? order by seq limit ?"
        found = self._database.read(sql, priority, _EVICTED_AT_ONCE)
        with self._database.transaction() as connection:
            for seq, readings, size in found:
                connection.execute("delete from outbox where seq = ?", (seq,))
                record_drop(connection, seq, readings)
                wanted -= size // 4096
                if wanted <= 0:
                    break
        return bool(found)

    def _value(self, sql: str) -> Any:
        return self._database.read(sql)[0][0]


_NEVER = Closed(-(2**63), 0)
