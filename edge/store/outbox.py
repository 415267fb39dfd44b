"""The outbox: batches under their final names until they are confirmed. When room is short the oldest of the lowest priority goes first.

Guarantees that no seq is given twice, that a batch's bytes never change, and that one that is dropped has its row in the ledger.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from edge.store.batch import EncodedBatch
from edge.store.database import PAGE_BYTES, Connection, Database, add, pages
from edge.store.ledger import record_drop
from schemas.envelope import Envelope, micros

_DROPPED_AT_ONCE = 100

TABLES = """
create table outbox (seq integer primary key, priority integer not null, cut_us integer not null, readings integer not null,
                     attributes text not null, body blob not null);
create index outbox_order on outbox (priority desc, seq)
"""


@dataclass(frozen=True, slots=True)
class OutboxBatch:
    """A batch that waits for confirmation."""

    envelope: Envelope
    body: bytes


class Outbox:
    """Not thread-safe: the store locks around it."""

    def __init__(self, database: Database, gateway_id: str, epoch: int) -> None:
        self._database, self._gateway_id, self._epoch = database, gateway_id, epoch

    def pending(self, limit: int, skip: Collection[int]) -> list[OutboxBatch]:
        found = self._database.read("select seq from outbox order by priority desc, seq limit ?", limit + len(skip))
        return self._load([seq for (seq,) in found if seq not in skip][:limit])

    def after(self, seq: int, limit: int) -> list[OutboxBatch]:
        return self._load(
            [found for (found,) in self._database.read("select seq from outbox where seq > ? order by seq limit ?", seq, limit)]
        )

    def confirm(self, seqs: Iterable[int]) -> None:
        with self._database.transaction() as connection:
            here = [(seq,) for seq in set(seqs) if connection.execute("select 1 from outbox where seq = ?", (seq,)).fetchone()]
            connection.executemany("delete from outbox where seq = ?", here)
            add(connection, {"batches_confirmed": len(here)})

    def write(self, connection: Connection, parcels: Sequence[EncodedBatch], now: datetime, kept: Sequence[bool]) -> list[Envelope]:
        """Names every parcel; one that is not kept is dropped by its name."""
        given = connection.execute("select value from counters where name = 'batches_cut'").fetchone()
        envelopes = [self._envelope(parcel, seq, now) for seq, parcel in enumerate(parcels, given[0] + 1 if given else 1)]
        for envelope, parcel, keep in zip(envelopes, parcels, kept, strict=True):
            if keep:
                row = (envelope.seq, parcel.priority, micros(now), parcel.readings, json.dumps(envelope.attributes()), parcel.body)
                connection.execute("insert into outbox values (?, ?, ?, ?, ?, ?)", row)
            else:
                record_drop(connection, envelope.seq, parcel.readings)
        add(connection, {"batches_cut": len(parcels)})
        return envelopes

    def admit(self, parcels: Sequence[EncodedBatch], needed: int) -> list[bool]:
        """Which parcels find room beside `needed` pages, the highest priority first; drops lower and equal ones for them."""
        kept = [False] * len(parcels)
        for at in sorted(range(len(parcels)), key=lambda at: -parcels[at].priority):
            wanted = needed + pages([len(parcels[at].body)])
            if self.make_room(wanted, parcels[at].priority) >= wanted:
                needed, kept[at] = wanted, True
        return kept

    def make_room(self, needed: int, priority: int = 9) -> int:
        """Drops batches up to this priority until so many pages are free or none is left; returns the free pages."""
        while (free := self._database.free_pages()) < needed and self._drop_oldest(needed - free, priority):
            pass
        return free

    def _drop_oldest(self, wanted: int, priority: int) -> bool:
        """Drops the oldest batches of the lowest priority, about so many pages of them; False if there is none."""
        lowest = "priority = (select min(priority) from outbox) and priority <= ?"
        sql = f"select seq, readings, length(body) from outbox where {lowest} order by seq limit ?"
        found = self._database.read(sql, priority, _DROPPED_AT_ONCE)
        with self._database.transaction() as connection:
            for seq, readings, size in found:
                connection.execute("delete from outbox where seq = ?", (seq,))
                record_drop(connection, seq, readings)
                wanted -= size // PAGE_BYTES
                if wanted <= 0:
                    break
        return bool(found)

    def _load(self, seqs: Sequence[int]) -> list[OutboxBatch]:
        rows = (self._database.read("select attributes, body from outbox where seq = ?", seq)[0] for seq in seqs)
        return [OutboxBatch(Envelope.parse(json.loads(attributes)), body) for attributes, body in rows]

    def _envelope(self, parcel: EncodedBatch, seq: int, now: datetime) -> Envelope:
        return Envelope(
            gateway_id=self._gateway_id,
            epoch=self._epoch,
            seq=seq,
            kind=parcel.kind,
            row_count=parcel.row_count,
            raw_bytes=parcel.raw_bytes,
            priority=parcel.priority,
            cut_time=now,
            time_min=parcel.time_min,
            time_max=parcel.time_max,
        )
