"""Keeps batches under their final names until they are confirmed. When room is short the oldest of the lowest priority goes first.

Guarantees that no seq names two batches, that a batch's bytes never change, and that a dropped batch has its row in the ledger.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from edge.store.batch import EncodedBatch
from edge.store.connection import Connection
from edge.store.database import ATTEMPTED_TO, Database, add
from edge.store.faults import StoreError
from edge.store.lanes import Lane, next_keys
from edge.store.ledger import batches_cut, draw_together, record_drop
from edge.store.pages import PAGE_BYTES, pages
from edge.store.parts import remember
from edge.store.seal import Seals
from program import logs
from schemas.envelope import Envelope, from_micros, micros
from schemas.records import KINDS, Kind

_DROPPED_AT_ONCE = 100

TABLES = """
create table outbox (seq integer primary key, priority integer not null, cut_us integer not null, readings integer not null,
                     attributes text not null, body blob not null);
create index outbox_order on outbox (priority desc, seq);
create table attempted (seq integer primary key)
"""


@dataclass(frozen=True, slots=True)
class OutboxBatch:
    """Holds a batch that waits for confirmation. `key` is unique in the store: its seq alone is not, once the store has a new epoch."""

    key: int
    envelope: Envelope
    body: bytes
    signature: bytes = b""
    """It is signed when it is sent; the store keeps none."""


_log = logs.get(__name__)
INSERT = "insert into outbox values (?, ?, ?, ?, ?, ?)"
THINNED_PRIORITY = KINDS[Kind.SUMMARIES].priority
NOT_ATTEMPTED = f"""
outbox.seq not in (select seq from attempted) and outbox.seq > coalesce((select value from state where name = '{ATTEMPTED_TO}'), 0)
"""
_IS_NEWLY_ATTEMPTED = f"""
select 1 from outbox where seq = ? and priority = {THINNED_PRIORITY} and {NOT_ATTEMPTED}
"""


def remove(connection: Connection, keys: Sequence[int]) -> None:
    """Removes batches, and what is known of them."""
    for table in ("outbox", "attempted", "coarse"):
        connection.executemany(f"delete from {table} where seq = ?", [(key,) for key in keys])


def row_of(key: int, envelope: Envelope, batch: EncodedBatch, now: datetime, seals: Seals) -> tuple[Any, ...]:
    """Returns the row of a batch, for INSERT."""
    described = (key, batch.priority, micros(now), batch.readings, json.dumps(envelope.attributes()))
    return *described, seals.seal(batch.body, *described)


def envelope_of(attributes: str) -> Envelope | None:
    """Reads what a row has of its envelope; None if that has rotted."""
    try:
        return Envelope.parse(json.loads(attributes))
    except (ValueError, TypeError, AttributeError):
        return None


class Outbox:
    """Names, keeps and drops batches. The key of a row is its seq and `base`, up to which keys are of earlier epochs.

    Not thread-safe: the store locks around it.
    """

    def __init__(self, database: Database, gateway_id: str, epoch: int, base: int) -> None:
        self._database, self._gateway_id, self._epoch, self.base = database, gateway_id, epoch, base
        self.last_key = self._last()
        """The highest key given out. Rows beyond it are parts of a cut that did not take place yet: nobody sees them."""
        self.last_cut_time = self._last_cut_time()
        self.thin: Callable[[], bool] = lambda: False
        """Makes room without losing a reading; False if it cannot."""

    def pending(self, limit: int, skip: Collection[int], lanes: Iterable[Lane], most_bytes: int) -> list[OutboxBatch]:
        waiting = (key for lane in lanes for key in next_keys(self._database, lane, self.last_key, limit + len(skip)) if key not in skip)
        keys = list(islice(self._within(most_bytes, waiting), max(limit, 0)))
        self._note_attempts(keys)
        return self.load(keys)

    def _within(self, most_bytes: int, keys: Iterable[int]) -> Iterator[int]:
        """Yields the first of these that have no more bytes together, at least one."""
        size = 0
        for at, key in enumerate(keys):
            size += self._database.read("select length(body) from outbox where seq = ?", key)[0][0]
            if at and size > most_bytes:
                return
            yield key

    def handed_out(self, keys: Iterable[int]) -> list[OutboxBatch]:
        return self.load([key for key in keys if self._database.read("select 1 from outbox where seq = ?", key)])

    def after(self, key: int, limit: int) -> list[OutboxBatch]:
        rows = self._database.read("select seq from outbox where seq > ? and seq <= ? order by seq limit ?", key, self.last_key, limit)
        if rows and rows[-1][0] > self._attempted_to():
            with self._database.transaction() as connection:
                connection.execute("insert or replace into state values (?, ?)", (ATTEMPTED_TO, rows[-1][0]))
        return self.load([key for (key,) in rows])

    def _attempted_to(self) -> int:
        rows = self._database.read("select value from state where name = ?", ATTEMPTED_TO)
        return int(rows[0][0]) if rows else 0

    def _note_attempts(self, keys: Sequence[int]) -> None:
        """Notes of batches that could be thinned that they cannot any more: they may arrive from now on."""
        if new := [(key,) for key in keys if self._database.read(_IS_NEWLY_ATTEMPTED, key)]:
            with self._database.transaction(is_tallied=False) as connection:
                connection.executemany("insert into attempted values (?)", new)

    def confirm(self, keys: Collection[int], memory: Mapping[str, bytes | None]) -> None:
        with self._database.transaction() as connection:
            waiting = [key for key in keys if connection.execute("select 1 from outbox where seq = ?", (key,)).fetchone()]
            remove(connection, waiting)
            add(connection, {"batches_confirmed": sum(key > self.base for key in waiting)})
            remember(connection, memory, self._database.seals)

    def named(self, batches: Sequence[EncodedBatch], now: datetime) -> list[Envelope]:
        """Returns the envelopes of batches that are cut next."""
        first = self.last_key - self.base + 1
        self.last_cut_time = now
        return [batch.envelope(self._gateway_id, self._epoch, seq, now) for seq, batch in enumerate(batches, first)]

    @contextmanager
    def giving_out(self, count: int) -> Iterator[None]:
        """Takes so many numbers once what is done within is committed. A fault that struck behind the commit is passed over: the file says
        whether it took place.
        """
        last = self.last_key + count
        try:
            yield
        except StoreError:
            self.last_key = self._last()
            if not count or self.last_key != last:
                raise
        self.last_key = last

    def give_out(
        self, connection: Connection, envelopes: Sequence[Envelope], batches: Sequence[EncodedBatch], admitted: Sequence[bool]
    ) -> None:
        """Gives the numbers out; batches that are not admitted are dropped by their names."""
        for envelope, batch, is_admitted in zip(envelopes, batches, admitted, strict=True):
            if not is_admitted:
                record_drop(connection, envelope.seq, batch.readings)
        draw_together(connection, self.base)
        add(connection, {"batches_cut": len(batches)})

    def remove_unfinished(self) -> None:
        """Removes rows of a cut that did not take place, in small commits."""
        while rows := self._database.read("select seq from outbox where seq > ? limit ?", self.last_key, _DROPPED_AT_ONCE):
            with self._database.transaction() as connection:
                connection.executemany("delete from outbox where seq = ?", rows)

    def admit(self, batches: Sequence[EncodedBatch], needed: int) -> list[bool]:
        """Says which batches find room beside `needed` pages, the highest priority first; drops lower and equal ones for them."""
        admitted = [False] * len(batches)
        for at in sorted(range(len(batches)), key=lambda at: -batches[at].priority):
            wanted = needed + pages([len(batches[at].body)])
            if self.make_room(wanted, batches[at].priority) >= wanted:
                needed, admitted[at] = wanted, True
        return admitted

    def make_room(self, needed: int, priority: int = 9) -> int:
        """Thins batches, then drops some up to this priority, until so many pages are free or none is left; returns the free pages."""
        while (free := self._database.free_pages()) < needed and (self._thinned(priority) or self._drop_oldest(needed - free, priority)):
            pass
        return free

    def _thinned(self, priority: int) -> bool:
        """Thins what is not of a higher priority than that for which there is to be room."""
        return priority >= THINNED_PRIORITY and self.thin()

    def _drop_oldest(self, wanted: int, priority: int) -> bool:
        """Drops the oldest batches of the lowest priority, about so many pages of them; False if there is none."""
        lowest = "priority = (select min(priority) from outbox) and priority <= ?"
        sql = f"select seq, readings, length(body) from outbox where {lowest} order by seq limit ?"
        oldest = self._database.read(sql, priority, _DROPPED_AT_ONCE)
        self._drop(oldest, wanted)
        return bool(oldest)

    def _drop(self, batches: Iterable[tuple[int, int, int]], wanted: int) -> None:
        """Drops batches (key, readings, bytes) until about so many pages are free."""
        with self._database.transaction() as connection:
            for key, readings, size in batches:
                remove(connection, [key])
                if key > self.base:
                    record_drop(connection, key - self.base, readings)
                else:
                    add(connection, {"earlier_batches_dropped": 1, "readings_dropped": readings})
                wanted -= size // PAGE_BYTES
                if wanted <= 0:
                    break
            draw_together(connection, self.base)

    def _last(self) -> int:
        return self.base + batches_cut(self._database)

    def _last_cut_time(self) -> datetime:
        """Returns when the last of the waiting batches was cut: one that comes of others is not said to be older than those before it."""
        rows = self._database.read("select attributes from outbox where seq <= ? order by seq desc limit 1", self.last_key)
        envelope = envelope_of(rows[0][0]) if rows else None
        return envelope.cut_time if envelope else from_micros(0)

    def load(self, keys: Sequence[int]) -> list[OutboxBatch]:
        """Returns these batches. One whose attributes have rotted, in a store without seals, is dropped. Raises StoreDamaged."""
        found = [self._loaded(key) for key in keys]
        if broken := [key for key, batch in zip(keys, found, strict=True) if batch is None]:
            _log.error("%d waiting batches cannot be read any more, and are dropped", len(broken))
            self._drop([self._database.read("select seq, readings, 0 from outbox where seq = ?", key)[0] for key in broken], 1)
        return [batch for batch in found if batch]

    def _loaded(self, key: int) -> OutboxBatch | None:
        [row] = self._database.read("select * from outbox where seq = ?", key)
        with self._database.reading_seals() as unsealed:
            body = unsealed(row[5], *row[:5])
        envelope = envelope_of(row[4])
        return OutboxBatch(row[0], envelope, body) if envelope else None
