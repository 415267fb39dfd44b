"""Writes in streaming mode by load jobs: a bundle's rows lie in files when it ends, and what lies there is loaded every so often.

At least once. What is to be loaded is settled by one step and loaded by the next, under names that follow from the files: a job that is
asked for again is found. Rows that a load refuses are appended, so that those beside them are written and the refused become rejects.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

import apache_beam as beam
import pyarrow as pa
from apache_beam.coders import BytesCoder
from apache_beam.pvalue import PCollection
from apache_beam.transforms.timeutil import TimeDomain
from apache_beam.transforms.userstate import (
    BagRuntimeState,
    BagStateSpec,
    ReadModifyWriteRuntimeState,
    ReadModifyWriteStateSpec,
    RuntimeTimer,
    TimerSpec,
    on_timer,
)
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.timestamp import MIN_TIMESTAMP, Timestamp
from apache_beam.utils.windowed_value import WindowedValue
from google.api_core.exceptions import BadRequest

from pipeline.elements import Clock, TableRows, UnwrittenRows
from pipeline.io import warehouse
from pipeline.io.append import brief
from pipeline.io.loads import jobs, parquet, waiting
from pipeline.io.loads.waiting import FILES, SIZE, Files, Gathering, Size
from pipeline.io.sinks import AppendSink
from pipeline.io.warehouse import Warehouse
from pipeline.transforms.counts import count_late, count_rows
from pipeline.transforms.each import Each
from pipeline.transforms.of_bundle import OfBundle
from program import logs

_LOG = logs.get(__name__)

Keyed = tuple[str, bytes]
"""What is loaded together, and files of it as `waiting.FILES` packs them."""


@dataclass(frozen=True, slots=True)
class StreamedLoadSink:
    """Loads rows of the names in `loaded`, and appends all others: those are few, and somebody may wait for them."""

    warehouse: Warehouse
    folder: str
    gathering: Gathering
    clock: Clock
    loaded: frozenset[str]

    def write(self) -> beam.PTransform:
        return _Write(self)

    def write_or_fail(self) -> beam.PTransform:
        return AppendSink(self.warehouse).write_or_fail()


class _Write(beam.PTransform):
    def __init__(self, sink: StreamedLoadSink) -> None:
        super().__init__()
        self._sink = sink

    def expand(self, rows: Mapping[str, PCollection[TableRows]]) -> PCollection[UnwrittenRows]:
        sink = self._sink
        at_once = {name: each for name, each in rows.items() if name not in sink.loaded}
        later = {name: each for name, each in rows.items() if name in sink.loaded}
        files = later | "Write files" >> Each(beam.ParDo(_WriteFiles(sink.folder)).with_output_types(Keyed))
        unwritten = files | "Load" >> Load(beam.ParDo(_LoadFiles(sink.warehouse)), sink.gathering, sink.clock)
        return (at_once | "Append" >> AppendSink(sink.warehouse).write(), unwritten) | beam.Flatten()


class Load(beam.PTransform):
    """Gathers files and gives them to a step that loads them: `files | Load(beam.ParDo(step), gathering, clock)`.

    Between the two everything is settled, so whatever is tried again is the same load.
    """

    def __init__(self, load: beam.PTransform, gathering: Gathering, clock: Clock) -> None:
        super().__init__()
        self._load, self._gathering, self._clock = load, gathering, clock

    def expand(self, files: PCollection[Keyed]) -> PCollection[Any]:
        gathered = files | "Gather" >> beam.ParDo(_Gather(self._gathering, self._clock)).with_output_types(Keyed)
        return gathered | "Settle" >> beam.Reshuffle() | "Load files" >> self._load


class _WriteFiles(OfBundle):
    """Writes the rows of a bundle into a file for each table."""

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def finish_bundle(self) -> Iterator[WindowedValue]:
        files, size = write_files(self._folder, self.elements)
        for table, path in files:
            yield WindowedValue((table, FILES.pack(Files(((table, path),), size))), MIN_TIMESTAMP, (GlobalWindow(),))


class _Gather(beam.DoFn):
    """Holds names of files until they are to be loaded: in time, when they are enough, or when nothing more can come."""

    _FILES = BagStateSpec("files", BytesCoder())
    _SIZE = ReadModifyWriteStateSpec("size", BytesCoder())
    _DUE = TimerSpec("due", TimeDomain.REAL_TIME)
    _END = TimerSpec("end", TimeDomain.WATERMARK)

    def __init__(self, gathering: Gathering, clock: Clock) -> None:
        self._gathering = gathering
        self._clock = clock

    def process(
        self,
        keyed: Keyed,
        files: BagRuntimeState = beam.DoFn.StateParam(_FILES),  # type: ignore[assignment]
        counted: ReadModifyWriteRuntimeState = beam.DoFn.StateParam(_SIZE),  # type: ignore[assignment]
        due: RuntimeTimer = beam.DoFn.TimerParam(_DUE),  # type: ignore[assignment]
        end: RuntimeTimer = beam.DoFn.TimerParam(_END),  # type: ignore[assignment]
    ) -> Iterator[WindowedValue]:
        size = SIZE.unpack(counted.read()) or Size()
        if not size.files:
            due.set(Timestamp(self._clock().timestamp() + self._gathering.seconds))
            end.set(GlobalWindow().max_timestamp())
        files.add(keyed[1])
        size = size.plus(unpacked(keyed[1]))
        counted.write(SIZE.pack(size))
        if self._gathering.is_enough(size):
            yield from _settled(keyed[0], files, counted)

    @on_timer(_DUE)
    def on_due(
        self,
        key: str = beam.DoFn.KeyParam,  # type: ignore[assignment]
        files: BagRuntimeState = beam.DoFn.StateParam(_FILES),  # type: ignore[assignment]
        counted: ReadModifyWriteRuntimeState = beam.DoFn.StateParam(_SIZE),  # type: ignore[assignment]
    ) -> Iterator[WindowedValue]:
        return _settled(key, files, counted)

    @on_timer(_END)
    def on_end(
        self,
        key: str = beam.DoFn.KeyParam,  # type: ignore[assignment]
        files: BagRuntimeState = beam.DoFn.StateParam(_FILES),  # type: ignore[assignment]
        counted: ReadModifyWriteRuntimeState = beam.DoFn.StateParam(_SIZE),  # type: ignore[assignment]
    ) -> Iterator[WindowedValue]:
        return _settled(key, files, counted)


class _LoadFiles(beam.DoFn):
    def __init__(self, where: Warehouse) -> None:
        self._warehouse = where

    def process(self, keyed: Keyed) -> Iterator[UnwrittenRows]:
        yield from load_files(self._warehouse, unpacked(keyed[1]))


def write_files(folder: str, rows: Iterable[TableRows]) -> tuple[list[tuple[str, str]], int]:
    """Writes rows into a file for each table; returns the files, and how many bytes of rows are in all."""
    found: dict[str, list[pa.RecordBatch]] = defaultdict(list)
    for each in rows:
        count_rows(each)
        found[each.table].append(each.rows)
    files = [(table, parquet.write(folder, "tinybeam-load", table, batches)) for table, batches in found.items()]
    return files, sum(batch.nbytes for batches in found.values() for batch in batches)


def load_files(where: Warehouse, files: Files) -> list[UnwrittenRows]:
    """Loads files, whatever it takes, and removes them. Returns rows that the warehouse refuses for their content; their files stay, for
    whoever tries again.
    """
    unwritten: list[UnwrittenRows] = []
    for table, paths in waiting.by_table(files).items():
        try:
            jobs.load(where, table, waiting.job_id(table, paths), paths, Random(), for_ever=True)
            jobs.remove(table, paths)
        except BadRequest as error:
            _LOG.warning("a load into %s was refused (%s): its rows are appended instead", table, brief(error))
            unwritten += warehouse.appender(where).append({table: list(parquet.read(paths))}, count_late)
    return unwritten


def _settled(key: str, files: BagRuntimeState, counted: ReadModifyWriteRuntimeState) -> Iterator[WindowedValue]:
    """Yields all that waits as one load, if anything does."""
    if found := [unpacked(packed) for packed in files.read()]:
        files.clear()
        counted.clear()
        yield WindowedValue((key, FILES.pack(waiting.together(found))), MIN_TIMESTAMP, (GlobalWindow(),))


def unpacked(packed: bytes) -> Files:
    files = FILES.unpack(packed)
    if files is None:
        raise ValueError("no files are packed")
    return files
