"""Knows the earlier epochs whose batches a store has taken over: how many of them still wait in it, and how many were lost to damage.

A row of the counters stands for each, so that it is under the seal of the store's own numbers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from edge.store.connection import Connection
from edge.store.database import Database, add
from edge.store.ledger import Ledger

MOST = 20
"""So many epochs are told of at most, those first of which most waits."""
WENT_BACK, RESCUED = "unsettled_went_back", "unsettled_rescued"
"""Counters of a store whose readings are to be counted anew: of what neither waits nor was summarised, some was sent before, or lost."""

_PREFIX = "earlier/"


def note(connection: Connection, epoch: int, lost: int = 0) -> None:
    """Notes an epoch that ends, and how many of its batches were lost with it. Counters run since an epoch began."""
    connection.execute("insert or ignore into counters values (?, ?)", (f"{_PREFIX}{epoch}", max(lost, 0)))
    # What was lost in that epoch is over in this one, as what was summarised is.
    before = connection.execute("select value from counters where name = 'readings_lost'").fetchone()
    if before:
        add(connection, {"readings_summarised": before[0], "readings_lost": -before[0]})


def of(counters: Mapping[str, int]) -> dict[str, int]:
    """Returns the rows of earlier epochs among the counters, as another store takes them over."""
    return {name: value for name, value in counters.items() if name.startswith(_PREFIX)}


def counted_anew(ledger: Ledger, waiting: int) -> dict[str, int]:
    """Returns what is to be added to the counters after damage or a backup, nothing otherwise: of the readings that were stored, those that
    neither wait nor were summarised are lost, or were sent before the store went back in time.
    """
    counters = Counter(ledger.counters)
    missing = ledger.journaled - waiting - counters["readings_summarised"] - counters["readings_lost"]
    for flag, counter in ((RESCUED, "readings_lost"), (WENT_BACK, "readings_summarised")):
        if counters[flag]:
            return {counter: missing, flag: -counters[flag]}
    return {}


def told(database: Database, base: int) -> tuple[int, ...]:
    """Returns [epoch, batches that wait, batches lost, ...] for a heartbeat; `base` is the highest key of the outbox before this epoch."""
    lost = of(dict(database.read("select name, value from counters where name like ?", f"{_PREFIX}%")))
    if not lost:
        return ()
    epoch_of = "select json_extract(attributes, '$.epoch'), count(*) from outbox where seq <= ? group by 1"
    waiting = {int(epoch): count for epoch, count in database.read(epoch_of, base)}
    epochs = {int(name.removeprefix(_PREFIX)): value for name, value in lost.items()}
    first = sorted(epochs, key=lambda epoch: (-waiting.get(epoch, 0), epoch))[:MOST]
    return tuple(number for epoch in first for number in (epoch, waiting.get(epoch, 0), epochs[epoch]))
