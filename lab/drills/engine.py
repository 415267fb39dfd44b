"""Runs the pipeline's flow on deliveries of another time: streaming, on a scripted stream whose clock follows them.

What the flow writes is kept in this process and loaded into the warehouse at the end, since an append for each simulated bundle would take
the drill's time; appends themselves are proven elsewhere.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import uuid4

import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet as pq
from apache_beam.coders import PickleCoder
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.pvalue import PCollection
from apache_beam.testing.test_stream import TestStream

from lab.drills.signed import authenticator
from pipeline import flow
from pipeline.elements import NotificationMessage, ReceivedMessage, TableRows, UnwrittenRows
from pipeline.io import warehouse
from pipeline.io.warehouse import Warehouse
from pipeline.options import BUNDLES
from pipeline.rollup.transform import Schedule
from pipeline.transforms.each import Each
from schemas import notification
from schemas.records import Alert
from schemas.registry import RegistrySource

WATERMARK_LAG = timedelta(seconds=30)
"""The stream's watermark follows the clock so far behind, as that of a subscription does."""

_clock: list[datetime] = [datetime(1970, 1, 1, tzinfo=UTC)]
_progress: list[Callable[[datetime], None]] = []
_rows: list[TableRows] = []
_notifications: list[Alert] = []
"""Engines copy what they are given, so what they leave behind is kept in the module, for one run at a time."""


@dataclass(frozen=True, slots=True)
class StreamResult:
    """Holds what a run gave: rows for the warehouse, and the notifications in the order of their publication."""

    rows: tuple[TableRows, ...]
    notifications: tuple[Alert, ...]


def simulated_clock() -> datetime:
    return _clock[0]


def stream(
    moments: Sequence[tuple[datetime, Sequence[ReceivedMessage]]], registry: RegistrySource, progress: Callable[[datetime], None]
) -> StreamResult:
    """Streams what arrives at each moment, in order; the clock and real-time timers move from moment to moment. One run at a time."""
    _rows.clear()
    _notifications.clear()
    _clock[0] = moments[0][0]
    _progress[:] = [progress]
    try:
        with beam.Pipeline(options=PipelineOptions([f"--runner={BUNDLES}", "--streaming"])) as pipeline:
            messages = pipeline | _script(moments) | "Follow the clock" >> beam.FlatMap(_follow)
            schedule = Schedule(streaming=True)
            flow.build(messages, registry, _Keep(), schedule, simulated_clock, _Publish(), authenticator=authenticator(registry))
    except TypeError:
        # Beam 2.77's runner never lets go of the watermark of a window that got elements after an early pane, says at the end that it
        # stalls, and trips over its own exception. All that arrived was processed by then, or the clock would not stand where it should.
        if _clock[0] != _end_of(moments):
            raise
    return StreamResult(tuple(_rows), tuple(_notifications))


def load(target: Warehouse, rows: Sequence[TableRows]) -> None:
    """Loads rows into their tables, one job for each table."""
    for table in sorted({each.table for each in rows}):
        whole = io.BytesIO()
        pq.write_table(pa.Table.from_batches([each.rows for each in rows if each.table == table]), whole)
        warehouse.load(target, table, f"drill_{uuid4().hex}", whole, Random())


def _script(moments: Sequence[tuple[datetime, Sequence[ReceivedMessage]]]) -> TestStream:
    begin = moments[0][0]
    script = TestStream(coder=PickleCoder())
    script = script.advance_watermark_to((begin - WATERMARK_LAG).timestamp()).advance_processing_time(begin.timestamp())
    before = begin
    for now, messages in moments:
        # The time first, then what arrives then, then what is due by then.
        script = script.add_elements([now, *messages])
        if now > before:
            script = script.advance_processing_time((now - before).total_seconds())
        if _hour(now - WATERMARK_LAG) > _hour(before - WATERMARK_LAG):  # a move costs as much as an element
            script = script.advance_watermark_to((now - WATERMARK_LAG).timestamp())
        before = now
    return script.add_elements([_end_of(moments)]).advance_watermark_to_infinity()


def _end_of(moments: Sequence[tuple[datetime, Sequence[ReceivedMessage]]]) -> datetime:
    return moments[-1][0] + timedelta(seconds=1)


def _hour(time: datetime) -> datetime:
    return time.replace(minute=0, second=0, microsecond=0)


def _follow(element: datetime | ReceivedMessage) -> Iterator[ReceivedMessage]:
    """Moves the clock on by the times in the stream, and lets messages pass."""
    if isinstance(element, datetime):
        _clock[0] = element
        _progress[0](element)
    else:
        yield element


class _Keep:
    def write(self) -> beam.PTransform[Any, Any]:
        return Each(beam.ParDo(_KeepRows()))

    def write_or_fail(self) -> beam.PTransform[Any, Any]:
        return Each(beam.ParDo(_KeepRows()))


class _KeepRows(beam.DoFn):
    def process(self, rows: TableRows) -> tuple[UnwrittenRows, ...]:
        _rows.append(rows)
        return ()


class _Publish(beam.PTransform):
    def expand(self, messages: PCollection[NotificationMessage]) -> Any:
        return messages | "Keep" >> beam.Map(_published)


def _published(message: NotificationMessage) -> None:
    _notifications.append(notification.parse(message.body))
