"""Gives a store a new epoch where its numbers could be given out a second time: on other hardware, or after it went back in time."""

from __future__ import annotations

import secrets
from dataclasses import replace

from edge.store import earlier
from edge.store.database import Database, add
from edge.store.identity import HighWater, high_water_file, is_another, keep_high_water, read_high_water, together
from edge.store.journal import START, Journal, JournalMark
from edge.store.ledger import COUNTED_HERE, batches_cut
from edge.store.parts import STAGED
from program import logs

_EPOCHS_KEPT = 100
_HELD_BACK = "held"
"""The section of memory with what was held back: of a store that went back in time it has been sent since, so it is not sent again."""

_log = logs.get(__name__)


class Epochs:
    """Holds the epoch of a store and `base`, the highest key of its outbox before it; keeps a mark beside the store to compare it with."""

    def __init__(self, database: Database, machine: str) -> None:
        """Reads what the store says of itself, and begins a new epoch if that is needed."""
        self._database, self._file = database, high_water_file(database.path)
        with database.transaction() as connection:
            new = {"epoch": secrets.randbits(48), "base": 0, "machine": machine}
            connection.executemany("insert or ignore into state values (?, ?)", list(new.items()))
        state = dict(database.read("select name, value from state"))
        self.epoch, self.base = int(state["epoch"]), int(state["base"])
        self.epoch_found = self.epoch
        """That of the file when it was opened."""
        self._mark = read_high_water(self._file) or HighWater(self.epoch, 0, START.window_end_us, START.journal_id)
        if is_another(machine, state["machine"]):
            self._begin(machine, "was born on another machine")
            return
        if (known := together(machine, state["machine"])) != state["machine"]:
            with database.transaction() as connection:
                connection.execute("update state set value = ? where name = 'machine'", (known,))
        if self.epoch in self._mark.earlier_epochs or (self.epoch == self._mark.epoch and batches_cut(self._database) < self._mark.cut):
            self._end_what_was_sent()
            self._begin(known, "went back in time, as from a backup")

    def keep(self, closed: JournalMark) -> None:
        """Keeps beside the store how far it has come."""
        self._mark = HighWater(self.epoch, batches_cut(self._database), closed.window_end_us, closed.journal_id, self._earlier())
        keep_high_water(self._file, self._mark)

    def _begin(self, machine: str, reason: str) -> None:
        """Begins an epoch. Batches that wait keep their names."""
        before, self.epoch, self.base = self.epoch, secrets.randbits(48), self.base + batches_cut(self._database)
        with self._database.transaction() as connection:
            state = {"epoch": self.epoch, "base": self.base, "machine": machine}
            connection.executemany("insert or replace into state values (?, ?)", list(state.items()))
            connection.executemany("delete from counters where name = ?", [(name,) for name in COUNTED_HERE])
            connection.execute("delete from dropped")
            connection.execute("delete from thinned")
            earlier.note(connection, before)
        self._mark = replace(self._mark, epoch=self.epoch, cut=0, earlier_epochs=self._earlier(before))
        keep_high_water(self._file, self._mark)
        _log.warning("%s %s: it takes a new epoch, %d, so that no number is given out twice", self._database.path, reason, self.epoch)

    def _earlier(self, *ended: int) -> tuple[int, ...]:
        """Returns the epochs before this: that of the mark too, if the store took another in the meantime or is a new one."""
        known = dict.fromkeys((*self._mark.earlier_epochs, *ended, self._mark.epoch))
        return tuple(epoch for epoch in known if epoch != self.epoch)[-_EPOCHS_KEPT:]

    def _end_what_was_sent(self) -> None:
        """Closes what has been cut since the time that the store went back to."""
        state = dict(self._database.read("select name, value from state where name like 'closed%'"))
        # The mark may be of a new store, whose readings are counted from the first again: nothing is opened by it.
        marks = {name: max(value, state.get(name, value)) for name, value in self._mark.closed.items()}
        with self._database.transaction() as connection:
            connection.executemany("insert or replace into state values (?, ?)", list(marks.items()))
            Journal.number_from(connection, self._mark.closed_journal_id)
            add(connection, {earlier.WENT_BACK: 1})
            for place in ("", STAGED):
                names = f"{place}{_HELD_BACK}/", f"{place}{_HELD_BACK}0"
                connection.execute("delete from memory where name >= ? and name < ?", names)
