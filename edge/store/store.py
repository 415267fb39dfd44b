"""Keeps a gateway's data: a journal of accepted readings and an outbox of cut batches in one SQLite file. Thread-safe.

Where a reading becomes a batch: `append` puts readings into the journal, `cut` stores the batches made of them and closes their journal
rows in one transaction. Before the cut a reading is in the journal; after it in a batch or, while its channel stays within a deadband, in
the pending summary that the same cut commits as a section. At no time is it in neither.

Who may lose a batch: nobody but this store, and only when its `max_bytes` are full: the oldest batches of the lowest priority go first,
each with a row in the ledger that says so. A batch that finds no room when it is cut is dropped by that cut; the cut closes the journal
rows of its readings all the same, so they are lost with it, and the ledger counts them. `confirm` removes the others once Pub/Sub has
them. A reading in the journal is never dropped: while batches cannot make room for it, `append` raises StoreFull and the broker keeps it.
So it does while others fill the disk; what has arrived is removed even then, in the room of a reserve (edge.store.reserve).

Before anything is dropped, waiting summaries are thinned (edge.store.thinning), once `thin_by` says how: no reading is lost by that.

Guarantees: what `append` or `cut` returned survives kill -9 and power loss; the bytes of a batch never change; no number names two
batches; the file, its log and the reserve stay within `max_bytes`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from itertools import count
from pathlib import Path
from threading import RLock
from types import MappingProxyType

from edge.store import earlier, encryption, identity, journal, ledger, outbox, thinning
from edge.store.acknowledged import Acknowledged
from edge.store.batch import EncodedBatch
from edge.store.commits import Commits
from edge.store.connection import Connection, connect
from edge.store.database import Database, add
from edge.store.encryption import Encryption
from edge.store.epochs import Epochs
from edge.store.faults import CommitTooLarge, DiskFault, StoreDamaged, StoreError, StoreFull, StoreKeyError, StoreLocked
from edge.store.journal import Entry, Journal, JournalMark
from edge.store.lanes import Lane
from edge.store.ledger import Ledger
from edge.store.outbox import Outbox, OutboxBatch, row_of
from edge.store.owner import claim
from edge.store.reserve import Reserve
from edge.store.section import Section, key_of
from edge.store.thinning import Law, Thinning
from schemas.envelope import MAX_BODY_BYTES, Envelope

__all__ = [
    "CommitTooLarge",
    "DiskFault",
    "Entry",
    "JournalMark",
    "Lane",
    "Ledger",
    "OutboxBatch",
    "Store",
    "StoreDamaged",
    "StoreError",
    "StoreFull",
    "StoreKeyError",
    "StoreLocked",
]

_NOTHING: Mapping[str, int] = MappingProxyType({})

TABLES = f"""
create table state (name text primary key, value) without rowid;
create table counters (name text primary key, value integer not null) without rowid;
create table memory (name text primary key, value blob not null) without rowid;
{journal.TABLES};
{outbox.TABLES};
{thinning.TABLES};
{ledger.TABLES}
"""


class Store:
    """Owns the file alone: a second one, in this process or another, gets StoreLocked.

    Usage: `ids = store.append(entries)`, `envelopes = store.cut(batches, now, closed=...)`, `store.confirm(keys)`.
    """

    def __init__(  # noqa: PLR0913 - the last three have defaults that hold for a gateway
        self,
        path: Path,
        gateway_id: str,
        max_bytes: int,
        connect: Callable[[Path], Connection] = connect,
        machine: Callable[[], str] = identity.machine,
        cipher: Encryption | None = None,
    ) -> None:
        """Creates the file with a new epoch, or opens it; on other hardware, or if it went back in time, that too has a new epoch.

        Raises StoreLocked, StoreDamaged, StoreKeyError, and StoreError for another gateway's file.
        """
        self._lock = RLock()
        self.gateway_id, self.max_bytes = gateway_id, max_bytes
        self._database = Database(path, max_bytes, TABLES, connect, cipher=cipher)
        self._acknowledged, self._reserve = Acknowledged(path), Reserve(path, self._database.reserve_bytes)
        # Readings leave a part free, so that a store full of readings can still cut them into batches and become smaller.
        self._readings_reserve = max(16, self._database.max_pages // 16)
        try:
            self._database.check()
            self._reserve.lent(lambda: self._resume(machine(), cipher))
            self._reserve.restore()
        except BaseException:
            self.close()
            raise

    @property
    def epoch(self) -> int:
        """Returns the epoch in which batches are numbered."""
        return self._epochs.epoch

    @property
    def closed(self) -> JournalMark:
        """Returns what cuts have closed: the mark of the next may not lie before it."""
        with self._lock:
            return self._journal.closed

    @property
    def max_batch_bytes(self) -> int:
        """Says how large the body of a batch may be, so that one commit has room for it."""
        return min(MAX_BODY_BYTES, self._database.max_row_bytes)

    def thin_by(self, law: Law, steps: Sequence[int], max_body_bytes: int) -> None:
        """Lets waiting summaries be merged by this law, to windows of these lengths in seconds, before any is dropped."""
        self._outbox.thin = Thinning(self._database, self._outbox, law, steps, min(max_body_bytes, self.max_batch_bytes)).thin

    def close(self) -> None:
        with self._lock:
            self._acknowledged.close()
            self._database.close()

    def append(self, entries: Sequence[Entry], dedup_keys: bytes = b"") -> range:
        """Adds to the journal in one durable commit and returns the readings' ids.

        Raises StoreFull: nothing was written, do not acknowledge; CommitTooLarge: the same in parts has room. `dedup_keys`: 8 bytes for
        each reading whose repetition must be recognised after a crash.
        """
        if len(dedup_keys) % 8:
            raise ValueError(f"a dedup key has 8 bytes, and {len(dedup_keys)} are no multiple of that")
        if not entries:
            return range(0)
        with self._lock:
            self._database.catch_up()
            self._reserve.require()
            self._sweep()
            needed = self._commits.room([len(dedup_keys), *(len(entry.body) for entry in entries)]) + self._readings_reserve
            if self._outbox.make_room(needed) < needed:
                raise StoreFull(f"{self._database.path}: its {self.max_bytes} bytes are full of readings, and no batch is left to drop")
            ids = self._journal.append(entries, dedup_keys)
            self._acknowledged.note(self.epoch, ids[-1])
            return ids

    def replay(self) -> Iterator[tuple[int, int, bytes]]:
        """Yields journal rows (id, window_end_us, body) that no cut has closed, in order of id."""
        last = 0
        while rows := self._replay_after(last):
            yield from rows
            last = rows[-1][0]

    def recent_dedup_keys(self) -> list[int]:
        """Returns the dedup keys of the last commits, oldest first, each read as an unsigned big-endian integer."""
        with self._lock:
            return self._journal.dedup_keys()

    def cut(
        self,
        batches: Sequence[EncodedBatch],
        now: datetime,
        *,
        closed: JournalMark | None = None,
        sections: Sequence[Section] = (),
        counters: Mapping[str, int] = _NOTHING,
    ) -> list[Envelope]:
        """Names the batches and stores them, closes journal rows, commits sections and adds to counters, all or nothing.

        For lack of room batches of lower or the same priority are dropped; a new batch that finds none even so is itself dropped, by
        its name: the bound never stops a cut. Raises StoreFull if the disk is full.
        """
        memory = _changed(sections)
        with self._lock:
            self._finish_parts()
            self._sweep()
            needed = self._commits.needed(batches, memory, counters)
            self._outbox.make_room(needed)
            admitted = self._outbox.admit(batches, needed)
            envelopes = self._outbox.named(batches, now)
            numbered = zip(count(self._outbox.last_key + 1), envelopes, batches, admitted)
            rows = [row_of(key, envelope, batch, now, self._database.seals) for key, envelope, batch, found in numbered if found]
            with self._outbox.giving_out(len(batches)), self._commits.committing(rows, memory) as connection:
                self._outbox.give_out(connection, envelopes, batches, admitted)
                add(connection, counters)
                if closed:
                    self._journal.close(connection, closed)
            for section in sections:
                section.mark_committed()
            # A full disk has no room to move and to delete either: that waits, the cut stands.
            with suppress(StoreFull):
                self._finish_parts()
            self._sweep()
            self._epochs.keep(self._journal.closed)
            return envelopes

    def section(self, name: str) -> Section:
        """Returns what cuts have committed of a stage's section."""
        with self._lock:
            # "0" follows "/".
            sql = "select name, value from memory where name = ? or (name > ? and name < ?) order by name"
            rows = self._database.read(sql, name, f"{name}/", f"{name}0")
            with self._database.reading_seals() as unsealed:
                return Section(name, {key_of(row, name): unsealed(value, row) for row, value in rows})

    def pending(
        self, limit: int, *, skip: Collection[int] = (), lanes: Iterable[Lane] = Lane, most_bytes: int = 1 << 62
    ) -> list[OutboxBatch]:
        """Returns waiting batches but those of keys `skip` in the order in which they go: by lanes, as edge.store.lanes says.

        They have no more bytes than `most_bytes`, but for a single one.
        """
        with self._lock:
            return self._reserve.lent(lambda: self._outbox.pending(limit, skip, lanes, most_bytes))

    def handed_out(self, keys: Iterable[int]) -> list[OutboxBatch]:
        """Returns those of the batches that still wait, which `pending` has returned before."""
        with self._lock:
            return self._outbox.handed_out(keys)

    def batches(self, after: int, limit: int) -> list[OutboxBatch]:
        """Returns waiting batches by key, from the one that follows `after`."""
        with self._lock:
            return self._outbox.after(after, limit)

    def confirm(self, keys: Iterable[int], *, sections: Sequence[Section] = ()) -> None:
        """Removes batches that have arrived, and commits sections with it. Those that were dropped or confirmed before are passed over."""
        memory, arrived = _changed(sections), set(keys)
        with self._lock:
            self._reserve.lent(lambda: self._outbox.confirm(arrived, memory))
        for section in sections:
            section.mark_committed()

    def ledger(self) -> Ledger:
        """Returns the ledger at this moment, for a heartbeat. Raises StoreDamaged if damage was found, whoever was told."""
        with self._lock:
            if self._database.damage:
                raise self._database.damage
            return ledger.read(self._database, self._journal.last_id, self.max_bytes)

    def _resume(self, machine: str, cipher: Encryption | None) -> None:
        """Reads how far the file has come, and finishes what a crash left."""
        claim(self._database, self.gateway_id)
        encryption.claim(self._database, cipher)
        self._epochs = Epochs(self._database, machine)
        self._journal = Journal(self._database)
        self._acknowledged.count_lost(self._epochs.epoch_found, self._journal)
        self._acknowledged.note(self.epoch, self._journal.last_id)
        self._outbox = Outbox(self._database, self.gateway_id, self.epoch, self._epochs.base)
        self._commits = Commits(self._database, self.max_batch_bytes)
        with suppress(StoreFull):
            self._finish_parts()
        self._sweep()

    def earlier_epochs(self) -> tuple[int, ...]:
        """Returns the earlier epochs whose batches are in this store, as [epoch, batches that wait, batches lost to damage, ...]."""
        with self._lock:
            return earlier.told(self._database, self._epochs.base)

    def _replay_after(self, last: int) -> list[tuple[int, int, bytes]]:
        with self._lock:
            return self._journal.after(last)

    def _sweep(self) -> None:
        """Deletes readings that are cut. On a full disk they wait: the cut that closed them stands, and no batch makes room for them."""
        with suppress(StoreFull):
            self._reserve.lent(self._journal.sweep)

    def _finish_parts(self) -> None:
        """Brings what was written in parts to its place, or removes it. To be called before anything else is cut."""
        if self._commits.has_parts:
            self._outbox.remove_unfinished()
            self._commits.finish()


def _changed(sections: Sequence[Section]) -> dict[str, bytes | None]:
    return {name: value for section in sections for name, value in section.changed.items()}
