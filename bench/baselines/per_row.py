"""Builds a Beam pipeline whose element is a row, as tutorials have it: decoded, grouped by dedup key to drop repeats, enriched from a dict
side input, written as dicts. (State by key instead of groups was tried: on this engine it is more than ten times slower.)

Two ways to get rows: JSON lines (`orjson`, the fastest decoder for Python), or the batches of the other side, decoded with our own
vectorised decoder and then taken apart. Rolled up, it combines each row into its minute and its hour.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import apache_beam as beam
import orjson
from apache_beam.pvalue import AsDict, PCollection

from bench.beams import COUNTED
from pipeline.decode import decode
from pipeline.elements import ReceivedMessage
from pipeline.io.sources import FromExportFiles

Row = dict[str, Any]
Counts = tuple[int, float, float, float, float]

_HOUR = 3_600_000_000
_MINUTE = 60_000_000


def from_json_lines(pipeline: beam.Pipeline, file: Path) -> PCollection[Row]:
    return pipeline | "Read" >> beam.io.ReadFromText(str(file), coder=beam.coders.BytesCoder()) | "Decode" >> beam.Map(orjson.loads)


def from_export_file(pipeline: beam.Pipeline, file: Path, clock: Callable[[], Any]) -> PCollection[Row]:
    return pipeline | "Read" >> FromExportFiles(str(file), clock) | "Decode" >> beam.FlatMap(_exploded)


def facts(rows: PCollection[Row], sites: dict[str, str]) -> PCollection[Row]:
    """Drops repeats and assigns sites; rows are counted as `facts`."""
    places = rows.pipeline | "Registry" >> beam.Create(sorted(sites.items()))
    keyed = rows | "Key" >> beam.Map(_by_dedup_key).with_output_types(tuple[str, Row])
    once = keyed | "Group" >> beam.GroupByKey() | "Drop repeats" >> beam.Map(_first)
    rows_with_site = once | "Enrich" >> beam.Map(_with_site, AsDict(places))
    rows_with_site | "Write" >> beam.ParDo(_Count("facts"))
    return rows_with_site


def rollups(rows: PCollection[Row]) -> None:
    """Combines each site, channel, minute and hour; the results are counted as `windows`."""
    merged = rows | "By window" >> beam.FlatMap(_by_window) | "Merge" >> beam.CombinePerKey(_Merge())
    merged | "Window rows" >> beam.Map(_window_row) | "Write windows" >> beam.ParDo(_Count("windows"))


def _exploded(message: ReceivedMessage) -> Iterator[Row]:
    batch = decode(message)
    placement = {"batch_id": batch.envelope.batch_id, "gateway_id": batch.envelope.gateway_id, "received_time": batch.received_time}
    for row in batch.rows.to_pylist():
        row.update(placement)
        yield row


def _by_dedup_key(row: Row) -> tuple[str, Row]:
    return f"{row['batch_id']}:{row['row']}", row


def _first(group: tuple[str, Iterable[Row]]) -> Row:
    return next(iter(group[1]))


def _with_site(row: Row, sites: dict[str, str]) -> Row:
    return {**row, "site_id": sites.get(row["device_id"])}


def _by_window(row: Row) -> Iterator[tuple[tuple[str, str, str, int, int], Counts]]:
    start = row["window_start"]
    start = start if isinstance(start, int) else int(start.timestamp() * 1_000_000)
    counts = (row["count"], row["sum"], row["m2"], row["min"], row["max"])
    for length in (_MINUTE, _HOUR):
        yield (row["site_id"], row["channel"], row["unit"], length, start // length * length), counts


class _Merge(beam.CombineFn):
    def create_accumulator(self) -> Counts:
        return 0, 0.0, 0.0, float("inf"), float("-inf")

    def add_input(self, accumulator: Counts, counts: Counts) -> Counts:
        return _merged(accumulator, counts)

    def merge_accumulators(self, accumulators: Iterable[Counts]) -> Counts:
        merged = self.create_accumulator()
        for accumulator in accumulators:
            merged = _merged(merged, accumulator)
        return merged

    def extract_output(self, accumulator: Counts) -> Counts:
        return accumulator


def _merged(a: Counts, b: Counts) -> Counts:
    if not a[0] or not b[0]:
        return a if a[0] else b
    count = a[0] + b[0]
    apart = b[1] / b[0] - a[1] / a[0]
    return count, a[1] + b[1], a[2] + b[2] + apart * apart * (a[0] * b[0] / count), min(a[3], b[3]), max(a[4], b[4])


def _window_row(merged: tuple[tuple[str, str, str, int, int], Counts]) -> Row:
    (site, channel, unit, length, start), (count, total, m2, low, high) = merged
    named = {"site_id": site, "channel": channel, "unit": unit, "window_start": start, "window_seconds": length // 1_000_000}
    return {**named, "count": count, "sum": total, "m2": m2, "min": low, "max": high}


class _Count(beam.DoFn):
    def __init__(self, name: str) -> None:
        self._name = name

    def process(self, row: Row) -> None:
        COUNTED[self._name] += 1
