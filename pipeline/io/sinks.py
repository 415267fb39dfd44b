"""Writes what the flow gives: Arrow appends for streaming, Parquet load jobs for batch; and a topic for notifications.

At least once: a retried bundle may repeat an append or a notification, never a load.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from random import Random
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

from pipeline.elements import NotificationMessage, TableRows, UnwrittenRows
from pipeline.io import warehouse
from pipeline.io.warehouse import Warehouse
from pipeline.transforms.counts import count_late, count_rows
from pipeline.transforms.each import Each
from program import logs

BUFFER_BYTES = 32_000_000
"""Rows of a bundle are sent at its end, or when they are more than this."""

_LOG = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class AppendSink:
    """Writes in streaming mode, to the Storage Write API's default stream."""

    warehouse: Warehouse

    def write(self) -> beam.PTransform:
        return Each(beam.ParDo(_Append(self.warehouse, may_refuse=True)))

    def write_or_fail(self) -> beam.PTransform:
        return Each(beam.ParDo(_Append(self.warehouse, may_refuse=False)))


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


class PublishNotifications(beam.PTransform):
    """Publishes notifications to a Pub/Sub topic, named in full."""

    def __init__(self, topic: str) -> None:
        super().__init__()
        self._write = WriteToPubSub(topic, with_attributes=True)

    def expand(self, notifications: PCollection[NotificationMessage]) -> Any:
        return notifications | "Messages" >> beam.Map(_message).with_output_types(PubsubMessage) | "Publish" >> self._write


class _Append(beam.DoFn):
    def __init__(self, where: Warehouse, *, may_refuse: bool) -> None:
        self._warehouse = where
        self._may_refuse = may_refuse

    def start_bundle(self) -> None:
        self._buffer: dict[str, list[pa.RecordBatch]] = defaultdict(list)
        self._bytes = 0

    def process(self, rows: TableRows) -> Iterator[UnwrittenRows]:
        count_rows(rows)
        self._buffer[rows.table].append(rows.rows)
        self._bytes += rows.rows.nbytes
        if self._bytes > BUFFER_BYTES:
            yield from self._flush()

    def finish_bundle(self) -> Iterator[WindowedValue]:
        for unwritten in self._flush():
            yield WindowedValue(unwritten, MIN_TIMESTAMP, (GlobalWindow(),))

    def _flush(self) -> list[UnwrittenRows]:
        unwritten = warehouse.appender(self._warehouse).append(self._buffer, count_late)
        self.start_bundle()
        if unwritten and not self._may_refuse:
            raise RuntimeError(f"the warehouse refuses rejects: {unwritten[0].rejected.text}")
        return unwritten


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
        path = FileSystems.join(self._folder, f"{self._begin}-{table}-{uuid4().hex}.parquet")
        _make_folder(self._folder)
        with FileSystems.create(path, mime_type="application/octet-stream") as file:
            pq.write_table(pa.Table.from_batches(self._buffer.pop(table)), file, compression="zstd")
        return str(path)


class _LoadFiles(beam.DoFn):
    """Loads all files of a table by one job, then deletes them."""

    def __init__(self, where: Warehouse, job_id: str) -> None:
        self._warehouse = where
        self._job_id = job_id

    def setup(self) -> None:
        self._rng = Random()

    def process(self, grouped: tuple[str, Iterable[str]]) -> Iterator[UnwrittenRows]:
        table, files = grouped[0], sorted(grouped[1])
        if files[0].startswith("gs://"):
            warehouse.load(self._warehouse, table, f"{self._job_id}_{table}", files, self._rng)
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
            warehouse.load(self._warehouse, table, f"{self._job_id}_{table}", whole, self._rng)


def _message(notification: NotificationMessage) -> PubsubMessage:
    return PubsubMessage(notification.body, notification.attributes)


def _make_folder(folder: str) -> None:
    """Makes the folder on a local disk; object stores have none."""
    if "://" not in folder:
        _ignore_existing(FileSystems.mkdirs, folder)


def _ignore_existing(make: Callable[[str], None], folder: str) -> None:
    try:
        make(folder)
    except OSError:
        if not FileSystems.exists(folder):
            raise
