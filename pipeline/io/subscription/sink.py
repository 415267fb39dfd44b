"""Writes what messages became, and acknowledges them then: at least once, and a message is never acknowledged before its rows are written.

Rows that the warehouse refuses for their content are written as rejects before. A repeat waits until its batch is known to be written.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

import apache_beam as beam
import pyarrow as pa
from apache_beam.coders import BytesCoder
from apache_beam.pvalue import PCollection
from apache_beam.transforms.userstate import ReadModifyWriteRuntimeState, ReadModifyWriteStateSpec
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.timestamp import MIN_TIMESTAMP
from apache_beam.utils.windowed_value import WindowedValue

from pipeline import rejects
from pipeline.elements import BatchName, Clock, Delivery, TableRows, UnwrittenRows
from pipeline.io.append import Appender
from pipeline.known_batches import bucket
from pipeline.repeats import Repeats, pack_written
from pipeline.transforms.counts import count_late, count_rows
from pipeline.transforms.each import Each

FLUSH_BYTES = 2_000_000
"""Deliveries of a bundle are written at its end, or when they are more than this: what is written early is acknowledged early."""

News = tuple[int, bytes]
"""Is a bucket, and news of its batches as `pipeline.repeats` packs them."""


class Acknowledger(Protocol):
    """Acknowledges messages by their ids."""

    def acknowledge(self, ack_ids: Iterable[str]) -> None: ...


class WriteAndAcknowledge(beam.PTransform):
    """Writes and acknowledges: `(undecodable, placed, repeats) | WriteAndAcknowledge(write, acknowledger)`, where `acknowledger()` gives
    that of the process, and `write` writes deliveries by what they are of, acknowledges them and gives news of them.
    """

    def __init__(self, write: beam.PTransform, acknowledger: Callable[[], Acknowledger]) -> None:
        super().__init__()
        self._write, self._acknowledger = write, acknowledger

    def expand(self, inputs: tuple[PCollection[Delivery], PCollection[Delivery], PCollection[News]]) -> Any:
        undecodable, placed, repeats = inputs
        written = {"Undecodable": undecodable, "Placed": placed} | "Write messages" >> self._write
        return (written, repeats) | beam.Flatten() | "Repeats" >> beam.ParDo(_AcknowledgeRepeats(self._acknowledger))


def by_appends(appender: Callable[[], Appender], acknowledger: Callable[[], Acknowledger], clock: Clock) -> beam.PTransform:
    """Returns what appends deliveries as they come, and acknowledges them."""
    return Each(beam.ParDo(Write(appender, acknowledger, clock)).with_output_types(News))


class Write(beam.DoFn):
    """Writes the deliveries of a bundle together, then acknowledges them; says which batches are written."""

    def __init__(self, appender: Callable[[], Appender], acknowledger: Callable[[], Acknowledger], clock: Clock) -> None:
        self._appender, self._acknowledger, self._clock = appender, acknowledger, clock

    def start_bundle(self) -> None:
        self._deliveries: list[Delivery] = []
        self._bytes = 0

    def process(self, delivery: Delivery) -> Iterator[News]:
        self._deliveries.append(delivery)
        self._bytes += sum(table.rows.nbytes for table in delivery.tables)
        if self._bytes > FLUSH_BYTES:
            yield from self._flush()

    def finish_bundle(self) -> Iterator[WindowedValue]:
        return (WindowedValue(news, MIN_TIMESTAMP, (GlobalWindow(),)) for news in self._flush())

    def _flush(self) -> list[News]:
        deliveries = self._deliveries
        self.start_bundle()
        self._write([table for delivery in deliveries for table in delivery.tables])
        self._acknowledger().acknowledge([ack_id for delivery in deliveries for ack_id in delivery.ack_ids])
        return news_of(name for delivery in deliveries for name in delivery.batches)

    def _write(self, tables: Iterable[TableRows]) -> None:
        appender = self._appender()
        write_refused(appender, appender.append(_by_table(tables), count_late), self._clock)


class _AcknowledgeRepeats(beam.DoFn):
    """Acknowledges the repeats of a bucket whose batches are written."""

    _WRITTEN = ReadModifyWriteStateSpec("written", BytesCoder())
    _WAITING = ReadModifyWriteStateSpec("waiting", BytesCoder())

    def __init__(self, acknowledger: Callable[[], Acknowledger]) -> None:
        self._acknowledger = acknowledger

    def process(
        self,
        news: News,
        written: ReadModifyWriteRuntimeState = beam.DoFn.StateParam(_WRITTEN),  # type: ignore[assignment]
        waiting: ReadModifyWriteRuntimeState = beam.DoFn.StateParam(_WAITING),  # type: ignore[assignment]
    ) -> None:
        repeats = Repeats(written.read(), waiting.read())
        self._acknowledger().acknowledge(list(repeats.hear(news[1])))
        for state, packed in zip((written, waiting), repeats.pack(), strict=True):
            state.write(packed)


def write_refused(appender: Appender, unwritten: Iterable[UnwrittenRows], clock: Clock) -> None:
    """Writes rows that were refused as rejects. Raises RuntimeError if these are refused, too."""
    refused = [reject for rows in unwritten for reject in rejects.of_unwritten(rows, clock)]
    if again := appender.append(_by_table(refused), count_late):
        raise RuntimeError(f"the warehouse refuses rejects: {again[0].rejected.text}")


def _by_table(tables: Iterable[TableRows]) -> dict[str, list[pa.RecordBatch]]:
    found: dict[str, list[pa.RecordBatch]] = defaultdict(list)
    for rows in tables:
        count_rows(rows)
        found[rows.table].append(rows.rows)
    return found


def news_of(names: Iterable[BatchName]) -> list[News]:
    """Returns the news that batches are written."""
    by_bucket: dict[int, list[BatchName]] = defaultdict(list)
    for name in names:
        by_bucket[bucket(name[0])].append(name)
    return [(key, pack_written(each)) for key, each in by_bucket.items()]
