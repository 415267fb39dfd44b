"""Writes in batch mode, one load job per table. A load is never repeated: its job is named after the run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from random import Random

import apache_beam as beam
import pyarrow as pa
from apache_beam.pvalue import PCollection
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.timestamp import MIN_TIMESTAMP
from apache_beam.utils.windowed_value import WindowedValue

from pipeline.elements import TableRows, UnwrittenRows
from pipeline.io.loads import jobs, parquet
from pipeline.io.warehouse import Warehouse
from pipeline.transforms.counts import count_rows
from pipeline.transforms.each import Each

BUFFER_BYTES = 32_000_000
"""Rows of a bundle become a file at its end, or when they are more than this."""


@dataclass(frozen=True, slots=True)
class LoadSink:
    """Writes in batch mode, one load job per table.

    `folder` is gs:// or local; `run` names this run: a retried load is found, not repeated.
    """

    warehouse: Warehouse
    folder: str
    run: str

    def write(self) -> beam.PTransform:
        return _Load(self, "rows")

    def write_or_fail(self) -> beam.PTransform:
        return _Load(self, "set_aside")


class _Load(beam.PTransform):
    def __init__(self, loads: LoadSink, part: str) -> None:
        super().__init__()
        self._loads = loads
        self._part = part

    def expand(self, rows: Mapping[str, PCollection[TableRows]]) -> PCollection[UnwrittenRows]:
        write = _WriteParquet(self._loads.folder, f"tinybeam-{self._loads.run}-{self._part}")
        files = rows | "Write Parquet" >> Each(beam.ParDo(write).with_output_types(tuple[str, str]))
        job_id = f"tinybeam_{self._loads.run}_{self._part}"
        return files | beam.GroupByKey() | "Load" >> beam.ParDo(_LoadFiles(self._loads.warehouse, job_id))


class _WriteParquet(beam.DoFn):
    """Writes rows to (table, file), a file per table and bundle, and one more for every BUFFER_BYTES. All names begin alike."""

    def __init__(self, folder: str, begin: str) -> None:
        self._folder = folder
        self._begin = begin

    def start_bundle(self) -> None:
        self._buffer: dict[str, list[pa.RecordBatch]] = defaultdict(list)
        self._bytes: dict[str, int] = defaultdict(int)

    def process(self, rows: TableRows) -> Iterator[tuple[str, str]]:
        count_rows(rows)
        self._buffer[rows.table].append(rows.rows)
        self._bytes[rows.table] += rows.rows.nbytes
        if self._bytes[rows.table] > BUFFER_BYTES:
            yield rows.table, self._write(rows.table)

    def finish_bundle(self) -> Iterator[WindowedValue]:
        for table in list(self._buffer):
            yield WindowedValue((table, self._write(table)), MIN_TIMESTAMP, (GlobalWindow(),))

    def _write(self, table: str) -> str:
        self._bytes.pop(table)
        return parquet.write(self._folder, self._begin, table, self._buffer.pop(table))


class _LoadFiles(beam.DoFn):
    """Loads all files of a table, then deletes them."""

    def __init__(self, where: Warehouse, job_id: str) -> None:
        self._warehouse = where
        self._job_id = job_id

    def setup(self) -> None:
        self._rng = Random()

    def process(self, grouped: tuple[str, Iterable[str]]) -> Iterator[UnwrittenRows]:
        table, files = grouped[0], sorted(grouped[1])
        jobs.load(self._warehouse, table, f"{self._job_id}_{table}", files, self._rng)
        jobs.remove(table, files)
        yield from ()
