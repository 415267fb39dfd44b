"""Gathers the messages of a bundle by bucket of gateways, so that few elements cross to the workers that decode them.

At least once, in no order. Nothing is kept beyond the bundle.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

import apache_beam as beam
from apache_beam.pvalue import PCollection
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.timestamp import MAX_TIMESTAMP, Timestamp
from apache_beam.utils.windowed_value import WindowedValue

from pipeline import parcel
from pipeline.elements import ReceivedMessage
from pipeline.known_batches import bucket
from pipeline.transforms.counts import counter

BYTES_TOGETHER = 4_000_000
"""So many bytes of bodies cross together at most, give or take one message."""
MESSAGES_TOGETHER = 2_000

Parcel = tuple[int, bytes]
"""Is a bucket, and messages of its gateways, packed."""


class Gather(beam.PTransform):
    """Gathers: `parcels = messages | Gather()`."""

    def expand(self, messages: PCollection[ReceivedMessage]) -> PCollection[Parcel]:
        return messages | beam.ParDo(_Gather()).with_output_types(Parcel)


class _Gather(beam.DoFn):
    def start_bundle(self) -> None:
        self._waiting: dict[int, _Waiting] = defaultdict(_Waiting)

    def process(self, message: ReceivedMessage, timestamp: Timestamp = beam.DoFn.TimestampParam) -> Iterator[WindowedValue]:  # type: ignore[assignment]
        key = bucket(message.attributes.get("gateway_id", ""))
        waiting = self._waiting[key]
        waiting.add(message, timestamp)
        if waiting.bytes >= BYTES_TOGETHER or len(waiting.messages) >= MESSAGES_TOGETHER:
            yield self._flush(key)

    def finish_bundle(self) -> Iterator[WindowedValue]:
        for key in list(self._waiting):
            yield self._flush(key)

    def _flush(self, key: int) -> WindowedValue:
        """Sends on what waits, as old as the oldest message in it."""
        waiting = self._waiting.pop(key)
        counter("messages").inc(len(waiting.messages))
        return WindowedValue((key, parcel.pack(waiting.messages)), waiting.oldest, (GlobalWindow(),))


@dataclass(slots=True)
class _Waiting:
    """Holds messages that wait for more of their bucket."""

    messages: list[ReceivedMessage] = field(default_factory=list)
    bytes: int = 0
    oldest: Timestamp = MAX_TIMESTAMP

    def add(self, message: ReceivedMessage, timestamp: Timestamp) -> None:
        self.messages.append(message)
        self.bytes += len(message.body)
        self.oldest = min(self.oldest, timestamp)
