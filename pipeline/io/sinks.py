"""Writes what the flow gives at once: appends to the warehouse, and notifications to a topic. What waits for a load job is in `loads`.

At least once: a retried bundle may repeat an append or a notification.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
import pyarrow as pa
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

BUFFER_BYTES = 32_000_000
"""Rows of a bundle are sent at its end, or when they are more than this."""


@dataclass(frozen=True, slots=True)
class AppendSink:
    """Writes in streaming mode, to the Storage Write API's default stream."""

    warehouse: Warehouse

    def write(self) -> beam.PTransform:
        return Each(beam.ParDo(_Append(self.warehouse, may_refuse=True)))

    def write_or_fail(self) -> beam.PTransform:
        return Each(beam.ParDo(_Append(self.warehouse, may_refuse=False)))


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


def _message(notification: NotificationMessage) -> PubsubMessage:
    return PubsubMessage(notification.body, notification.attributes)
