"""Runs this project's own columnar functions in Bytewax: an item is a batch, and batches are processed together as in our pipeline.

What is measured is the engine alone. One worker.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice
from operator import add
from pathlib import Path
from typing import Any

import bytewax.operators as op
from bytewax.dataflow import Dataflow
from bytewax.inputs import StatelessSourcePartition
from bytewax.outputs import StatelessSinkPartition
from bytewax.testing import run_main

from bench.baselines import rowwise
from bench.baselines.bytewax_flow import Entries, Tally, first, store
from bench.baselines.rowwise import Entry
from pipeline.assign_sites import assign_sites
from pipeline.decode import decode_all
from pipeline.elements import DecodedBatches, ReceivedMessage, RowGroup
from pipeline.enrich import Sites
from pipeline.facts import facts
from pipeline.rollup.partials import merge, partials
from pipeline.rollup.results import results
from pipeline.rollup.stats import Key
from schemas.envelope import time_of
from schemas.registry import Registry

NOW = datetime(2026, 10, 10, tzinfo=UTC)
AT_ONCE = 20
"""Batches of 500 rows: as many as our pipeline takes together."""


class EntryChunks(Entries):
    """Reads the entries of an export file, several at once: the engine keeps them together."""

    def build(self, step_id: str, worker_index: int, worker_count: int) -> StatelessSourcePartition[Any]:
        return _EntryChunks(rowwise.read(self._export_file))


class Rows(Tally):
    """Counts rows, not batches."""

    def build(self, step_id: str, worker_index: int, worker_count: int) -> Any:
        return _Rows(self)


def run(export_file: Path, registry: Path) -> tuple[int, int]:
    """Returns the numbers of rows and windows."""
    sites = Sites(Registry.load(registry))
    written, rolled = Rows(), Tally()
    flow = Dataflow("columns")
    keyed = op.key_on("store", op.input("read", flow, EntryChunks(export_file)), store)
    fresh = op.filter("fresh", op.key_rm("unkey", op.stateful_map("repeats", keyed, first)), lambda entry: entry is not None)
    row_groups = op.flat_map_batch("place", fresh, lambda entries: [assign_sites(_decoded(entries), sites, NOW)[0]])
    op.output("facts", op.map("rows", row_groups, lambda row_group: facts(row_group).rows), written)
    merged = op.reduce_final("merge", op.flat_map("reduce", row_groups, _partials), add)
    op.output("windows", op.flat_map("window rows", merged, _windows), rolled)
    run_main(flow)
    return written.count, rolled.count


def _decoded(entries: Iterable[Entry]) -> list[DecodedBatches]:
    return [each for each in decode_all(map(_message, entries)) if isinstance(each, DecodedBatches)]


def _message(entry: Entry) -> ReceivedMessage:
    return ReceivedMessage(entry[0], entry[1], time_of(entry[0], "cut_time"))


def _partials(row_group: RowGroup) -> Iterable[tuple[str, Any]]:
    return (("|".join(map(str, key)), [heard]) for key, heard in partials(row_group))


def _windows(keyed: tuple[str, Any]) -> list[Any]:
    site, channel, unit, hour = keyed[0].split("|")
    return results(Key(site, channel, unit, int(hour)), merge(keyed[1])).windows


class _EntryChunks(StatelessSourcePartition[Any]):
    def __init__(self, entries: Iterator[Entry]) -> None:
        self._entries = entries

    def next_batch(self) -> list[Entry]:
        if chunk := list(islice(self._entries, AT_ONCE)):
            return chunk
        raise StopIteration


class _Rows(StatelessSinkPartition[Any]):
    def __init__(self, tally: Tally) -> None:
        self._tally = tally

    def write_batch(self, items: list[Any]) -> None:
        self._tally.count += sum(rows.num_rows for rows in items)


if __name__ == "__main__":
    rowwise.main(run)
