"""Thins waiting batches before any is dropped: merges several into one, whose windows are longer, under a new name.

Only a batch that was never handed out is replaced: one that is under way, or whose answer was lost, may have arrived, and its readings
would count twice. The one commit that writes the new batch removes the old ones and says in the ledger that they are thinned, so that
they are neither missing nor lost. How rows are merged is not known here: it is the law of the summaries.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from edge.store import ledger
from edge.store.batch import BatchLimits, BatchTooLarge, EncodedBatch, encode
from edge.store.connection import Connection
from edge.store.database import Database, add
from edge.store.form import decoded
from edge.store.outbox import INSERT, NOT_ATTEMPTED, THINNED_PRIORITY, Outbox, envelope_of, remove, row_of
from program import logs
from schemas.envelope import Envelope, from_micros
from schemas.records import Kind

_BATCHES_AT_ONCE = 64
_ROWS_AT_ONCE = 5000
_WORTH_IT = 0.9
"""A batch that has more than this share of the bytes of those that it would replace replaces none."""

TABLES = """
create table coarse (seq integer primary key, seconds integer not null)
"""

_log = logs.get(__name__)


Law = Callable[[Sequence[Mapping[str, Any]], int], Sequence[Any]]
"""Merges rows of summaries, as a body has them, whose windows lie within one interval of so many seconds."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    """Describes a batch that may be replaced."""

    key: int
    cut_us: int
    readings: int
    envelope: Envelope
    size: int


class Thinning:
    """Replaces waiting batches of summaries, the oldest first. Not thread-safe: the store locks around it.

    Usage: `while thinning.thin(): ...` until there is room.
    """

    def __init__(self, database: Database, outbox: Outbox, law: Law, steps: Sequence[int], body_bytes: int) -> None:
        """`steps` are the lengths in seconds to which windows are merged, one after the other."""
        self._database, self._outbox, self._law, self._steps, self._body_bytes = database, outbox, law, steps, body_bytes
        self._looked_to = dict.fromkeys(steps, 0)
        """By step the key up to which nothing is left to merge."""

    def thin(self) -> bool:
        """Replaces some batches by a smaller one; False if there is none left that could be."""
        for at, seconds in enumerate(self._steps):
            while chosen := self._chosen(seconds, self._steps[at - 1] if at else 0):
                if self._replaced(chosen, seconds):
                    return True
        return False

    def _chosen(self, seconds: int, before: int) -> list[_Waiting]:
        """Returns the oldest batches that a step has not looked at yet, of one form, and no more than one batch may come of."""
        sql = _FRESH if not before else _COARSE
        known = self._looked_to[seconds], self._outbox.last_key, self._outbox.base, before, _BATCHES_AT_ONCE
        chosen, rows = list[_Waiting](), 0
        for key, cut_us, readings, attributes, size in self._database.read(sql, *known):
            if (envelope := envelope_of(attributes)) is None:
                continue
            each = _Waiting(key, cut_us, readings, envelope, size)
            rows += each.envelope.row_count
            if chosen and (rows > _ROWS_AT_ONCE or each.envelope.schema_version != chosen[0].envelope.schema_version):
                break
            chosen.append(each)
        if not chosen:
            return []
        self._looked_to[seconds] = chosen[-1].key
        return chosen

    def _replaced(self, chosen: Sequence[_Waiting], seconds: int) -> bool:
        """Writes what the batches are merged to in their place, if that is smaller; else notes that they are as they are."""
        batch = self._merged(chosen, seconds)
        is_smaller = batch is not None and len(batch.body) < _WORTH_IT * sum(each.size for each in chosen)
        if batch is None or not is_smaller:
            with self._database.transaction(is_tallied=False) as connection:
                connection.executemany(_MARK, [(each.key, seconds) for each in chosen])
            return False
        [envelope] = self._outbox.named([batch], self._outbox.last_cut_time)
        with self._outbox.giving_out(1), self._database.transaction() as connection:
            self._write(connection, chosen, batch, envelope, seconds)
        _log.info("%d waiting batches are thinned to windows of %d s: their store is nearly full", len(chosen), seconds)
        return True

    def _merged(self, chosen: Sequence[_Waiting], seconds: int) -> EncodedBatch | None:
        bodies = [batch.body for batch in self._outbox.load([each.key for each in chosen])]
        try:
            rows = self._law([row for body in bodies for row in decoded(body)], seconds)
            limits = BatchLimits(max(len(rows), 1), self._body_bytes, chosen[0].envelope.schema_version)
            return encode(Kind.SUMMARIES, rows, sum(each.readings for each in chosen), limits)
        except BatchTooLarge:
            return None
        except Exception:  # noqa: BLE001 - they stay as they are
            _log.exception("%d waiting batches cannot be thinned", len(chosen))
            return None

    def _write(self, connection: Connection, chosen: Sequence[_Waiting], batch: EncodedBatch, envelope: Envelope, seconds: int) -> None:
        remove(connection, [each.key for each in chosen])
        key = self._outbox.last_key + 1
        # It waits since its oldest part was cut; that its number is new lets it go before the backlog.
        since = from_micros(min(each.cut_us for each in chosen))
        connection.execute(INSERT, row_of(key, envelope, batch, since, self._database.seals))
        connection.execute(_MARK, (key, seconds))
        for each in chosen:
            ledger.record(connection, "thinned", each.key - self._outbox.base)
        ledger.draw_together(connection, self._outbox.base)
        add(connection, {"batches_cut": 1, "batches_thinned": len(chosen)})


_MARK = "insert or replace into coarse values (?, ?)"
_COLUMNS = "outbox.seq, cut_us, readings, attributes, length(body)"
_FREE = f"outbox.seq > ? and outbox.seq <= ? and outbox.seq > ? and {NOT_ATTEMPTED}"
_FRESH = f"""
select {_COLUMNS} from outbox
where priority = {THINNED_PRIORITY} and {_FREE} and outbox.seq not in (select seq from coarse where seconds > ?) order by outbox.seq limit ?
"""
_COARSE = f"select {_COLUMNS} from coarse join outbox on coarse.seq = outbox.seq where {_FREE} and seconds = ? order by coarse.seq limit ?"
