"""Does the pipeline's work in Bytewax, a row per item as its documentation has it: decode, drop repeats, enrich, roll up. One worker."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bytewax.operators as op
from bytewax.dataflow import Dataflow
from bytewax.inputs import DynamicSource, StatelessSourcePartition
from bytewax.outputs import DynamicSink, StatelessSinkPartition
from bytewax.testing import run_main

from bench.baselines import rowwise
from bench.baselines.rowwise import Entry, Row

Sums = tuple[int, float, float, float, float]


class Entries(DynamicSource[Any]):
    """Reads the entries of an export file."""

    def __init__(self, export_file: Path) -> None:
        self._export_file = export_file

    def build(self, step_id: str, worker_index: int, worker_count: int) -> StatelessSourcePartition[Any]:
        return _Entries(rowwise.read(self._export_file))


class Tally(DynamicSink[Any]):
    """Counts items; its copies count into the same number."""

    def __init__(self) -> None:
        self.count = 0

    def build(self, step_id: str, worker_index: int, worker_count: int) -> StatelessSinkPartition[Any]:
        return _Tally(self)


def run(export_file: Path, registry: Path) -> tuple[int, int]:
    """Returns the numbers of rows and windows."""
    places = rowwise.sites(registry)
    facts, windows = Tally(), Tally()
    flow = Dataflow("rows")
    keyed = op.key_on("store", op.input("read", flow, Entries(export_file)), store)
    rows = op.flat_map("decode", op.key_rm("unkey", op.stateful_map("repeats", keyed, first)), decoded)
    rows_with_site = op.map("enrich", rows, lambda row: {**row, "site_id": places[row["device_id"]]})
    op.output("facts", rows_with_site, facts)
    merged = op.reduce_final("merge", op.flat_map("by window", rows_with_site, by_window), merge)
    op.output("windows", merged, windows)
    run_main(flow)
    return facts.count, windows.count


def store(entry: Entry) -> str:
    return f"{entry[0]['gateway_id']}:{entry[0]['epoch']}"


def first(seen: set[str] | None, entry: Entry) -> tuple[set[str], Entry | None]:
    """Drops repeats by the batch, which is the cheapest that a user of rows could do."""
    seen = seen if seen is not None else set()
    batch_id = rowwise.name(entry)
    if batch_id in seen:
        return seen, None
    seen.add(batch_id)
    return seen, entry


def decoded(entry: Entry | None) -> Iterator[Row]:
    return rowwise.rows(entry) if entry else iter(())


def by_window(row: Row) -> list[tuple[str, Sums]]:
    start = row["window_start"]
    of = f"{row['site_id']}|{row['channel']}|{row['unit']}"
    sums = (row["count"], row["sum"], row["m2"], row["min"], row["max"])
    return [(f"{of}|60|{start}", sums), (f"{of}|3600|{start.replace(minute=0)}", sums)]


def merge(a: Sums, b: Sums) -> Sums:
    count = a[0] + b[0]
    apart = b[1] / b[0] - a[1] / a[0]
    return count, a[1] + b[1], a[2] + b[2] + apart * apart * (a[0] * b[0] / count), min(a[3], b[3]), max(a[4], b[4])


class _Entries(StatelessSourcePartition[Any]):
    def __init__(self, entries: Iterator[Entry]) -> None:
        self._entries = entries

    def next_batch(self) -> list[Entry]:
        return [next(self._entries)]


class _Tally(StatelessSinkPartition[Any]):
    def __init__(self, tally: Tally) -> None:
        self._tally = tally

    def write_batch(self, items: list[Any]) -> None:
        self._tally.count += len(items)


if __name__ == "__main__":
    rowwise.main(run)
