"""Sinks of the flow: Arrow appends for streaming, Parquet load jobs for batch; and a topic for notices.

At least once: a retried bundle may repeat an append or a notice, never a load.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet as pq
from apache_beam.io.filesystems import FileSystems
from apache_beam.io.gcp.pubsub import PubsubMessage, WriteToPubSub
from apache_beam.pvalue import PCollection
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.timestamp import MIN_TIMESTAMP
from apache_beam.utils.windowed_value import WindowedValue

from pipeline.each import Each
from pipeline.elements import Notice, Rows, Unwritten
from pipeline.io import warehouse
from pipeline.io.warehouse import Warehouse
from program import logs

HELD_BYTES = 32_000_000
"""Rows of a bundle are sent at its end, or when they are more than this."""

_LOG = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class Appends:
    """Streaming: the Storage Write API's default stream."""

    warehouse: Warehouse

    def write(self) -> beam.PTransform:
        return Each(beam.ParDo(_Append(self.warehouse, may_refuse=True)))

    def write_or_fail(self) -> beam.PTransform:
        return Each(beam.ParDo(_Append(self.warehouse, may_refuse=False)))


@dataclass(frozen=True, slots=True)
class Loads:
    """Batch: one load job per table. `folder` is gs:// or local; `run` names this run, so that a retried load is found, not repeated."""

    warehouse: Warehouse
    folder: str
    run: str

    def write(self) -> beam.PTransform:
        return _Load(self, "rows")

    def write_or_fail(self) -> beam.PTransform:
        return _Load(self, "set_aside")


class Publishes(beam.PTransform):
    """Notices onto a Pub/Sub topic, given by its full name."""

    def __init__(self, topic: str) -> None:
        super().__init__()
        self._write = WriteToPubSub(topic, with_attributes=True)

    def expand(self, notices: PCollection[Notice]) -> Any:
        return notices | "Messages" >> beam.Map(_message).with_output_types(PubsubMessage) | "Publish" >> self._write


class _Append(beam.DoFn):
    def __init__(self, where: Warehouse, *, may_refuse: bool) -> None:
        self._warehouse = where
        self._may_refuse = may_refuse

    def start_bundle(self) -> None:
        self._held: dict[str, list[pa.RecordBatch]] = defaultdict(list)
        self._bytes = 0

    def process(self, rows: Rows) -> Iterator[Unwritten]:
        self._held[rows.table].append(rows.rows)
        self._bytes += rows.rows.nbytes
        if self._bytes > HELD_BYTES:
            yield from self._flush()

    def finish_bundle(self) -> Iterator[WindowedValue]:
        for unwritten in self._flush():
            yield WindowedValue(unwritten, MIN_TIMESTAMP, (GlobalWindow(),))

    def _flush(self) -> list[Unwritten]:
        unwritten = warehouse.appender(self._warehouse).append(self._held)
        self.start_bundle()
        if unwritten and not self._may_refuse:
            raise RuntimeError(f"the warehouse refuses rejects: {unwritten[0].refused.text}")
        return unwritten


class _Load(beam.PTransform):
    def __init__(self, loads: Loads, part: str) -> None:
        super().__init__()
        self._loads = loads
        self._part = part

    def expand(self, rows: tuple[PCollection[Rows], ...]) -> PCollection[Unwritten]:
        folder = f"{self._loads.folder.rstrip('/')}/tinybeam-{self._loads.run}-{self._part}"
        files = rows | "Write Parquet" >> Each(beam.ParDo(_WriteParquet(folder)).with_output_types(tuple[str, str]))
        job_id = f"tinybeam_{self._loads.run}_{self._part}"
        return files | beam.GroupByKey() | "Load" >> beam.ParDo(_LoadFiles(self._loads.warehouse, job_id))


class _WriteParquet(beam.DoFn):
    """Rows -> (table, file), a file per table and bundle, in row groups of HELD_BYTES."""

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def start_bundle(self) -> None:
        self._held: dict[str, list[pa.RecordBatch]] = defaultdict(list)
        self._bytes: dict[str, int] = defaultdict(int)

    def process(self, rows: Rows) -> Iterator[tuple[str, str]]:
        self._held[rows.table].append(rows.rows)
        self._bytes[rows.table] += rows.rows.nbytes
        if self._bytes[rows.table] > HELD_BYTES:
            yield rows.table, self._write(rows.table)

    def finish_bundle(self) -> Iterator[WindowedValue]:
        for table in list(self._held):
            yield WindowedValue((table, self._write(table)), MIN_TIMESTAMP, (GlobalWindow(),))

    def _write(self, table: str) -> str:
        self._bytes.pop(table)
        path = FileSystems.join(self._folder, f"{table}-{uuid4().hex}.parquet")
        _make_folder(self._folder)
        with FileSystems.create(path, mime_type="application/octet-stream") as file:
            pq.write_table(pa.Table.from_batches(self._held.pop(table)), file, compression="zstd")
        return str(path)


class _LoadFiles(beam.DoFn):
    """All files of a table -> one load job, then the files are deleted."""

    def __init__(self, where: Warehouse, job_id: str) -> None:
        self._warehouse = where
        self._job_id = job_id

    def process(self, grouped: tuple[str, Iterable[str]]) -> Iterator[Unwritten]:
        table, files = grouped[0], sorted(grouped[1])
        if files[0].startswith("gs://"):
            warehouse.load(self._warehouse, table, f"{self._job_id}_{table}", files)
        else:
            self._load_as_one(table, files)
        FileSystems.delete(files)
        _LOG.info("loaded %d files into %s", len(files), table)
        yield from ()

    def _load_as_one(self, table: str, files: list[str]) -> None:
        with tempfile.TemporaryFile() as whole:
            with pq.ParquetWriter(whole, pq.read_schema(files[0]), compression="zstd") as writer:
                for file in files:
                    writer.write_table(pq.read_table(file))
            whole.seek(0)
            warehouse.load(self._warehouse, table, f"{self._job_id}_{table}", whole)


def _message(notice: Notice) -> PubsubMessage:
    return PubsubMessage(notice.body, notice.attributes)


def _make_folder(folder: str) -> None:
    """Object stores have no folders; a local disk has."""
    if "://" not in folder:
        _ignore_existing(FileSystems.mkdirs, folder)


def _ignore_existing(make: Callable[[str], None], folder: str) -> None:
    try:
        make(folder)
    except OSError:
        if not FileSystems.exists(folder):
            raise
