"""Reads messages from a Pub/Sub subscription, or from export files: at least once, in no order; nothing is interpreted here."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import apache_beam as beam
from apache_beam.io.fileio import MatchFiles, ReadableFile, ReadMatches
from apache_beam.io.gcp.pubsub import PubsubMessage, ReadFromPubSub
from apache_beam.pvalue import PBegin, PCollection
from apache_beam.utils.timestamp import Timestamp

from pipeline import archive
from pipeline.elements import EXPORT_FILE, Clock, ReceivedMessage
from schemas.envelope import EnvelopeError, entries, time_of


class FromSubscription(beam.PTransform):
    """Reads the messages of a subscription; `received_time` is when Pub/Sub received them."""

    def __init__(self, subscription: str, id_attribute: str | None = None, timestamp_attribute: str | None = None) -> None:
        super().__init__()
        self._read = ReadFromPubSub(
            subscription=subscription, id_label=id_attribute, timestamp_attribute=timestamp_attribute, with_attributes=True
        )

    def expand(self, root: PBegin) -> PCollection[ReceivedMessage]:
        return root | "Read subscription" >> self._read | "Messages" >> beam.ParDo(_AsMessage()).with_output_types(ReceivedMessage)


class FromExportFiles(beam.PTransform):
    """Reads the messages of the export files that a glob names, local or gs://; `received_time` is when the gateway cut the batch.

    Bytes that are no sound entry come as a message with the attribute EXPORT_FILE.
    """

    def __init__(self, glob: str, clock: Clock) -> None:
        super().__init__()
        self._glob = glob
        self._clock = clock

    def expand(self, root: PBegin) -> PCollection[ReceivedMessage]:
        files = root | "Match" >> MatchFiles(self._glob) | "Open" >> ReadMatches()
        return files | "Entries" >> beam.FlatMap(_messages, self._clock).with_output_types(ReceivedMessage)


class _AsMessage(beam.DoFn):
    def process(self, message: PubsubMessage, timestamp: Timestamp = beam.DoFn.TimestampParam) -> Iterator[ReceivedMessage]:  # type: ignore[assignment]
        received = message.publish_time or timestamp.to_utc_datetime(has_tz=True)
        yield ReceivedMessage(dict(message.attributes or {}), bytes(message.data or b""), _plain(received))


def _plain(time: datetime) -> datetime:
    """Returns Google's own datetime class as the standard one."""
    return datetime.fromtimestamp(time.timestamp(), time.tzinfo).replace(microsecond=time.microsecond)


def _messages(file: ReadableFile, clock: Clock) -> Iterator[ReceivedMessage]:
    with file.open() as export:
        try:
            for entry in entries(export):
                yield _message(entry, file.metadata.path, clock)
        except EnvelopeError as error:
            raise RuntimeError(f"{file.metadata.path}: {error}") from error


def _message(entry: tuple[dict[str, str], bytes] | bytes, path: str, clock: Clock) -> ReceivedMessage:
    if isinstance(entry, bytes):
        return ReceivedMessage({EXPORT_FILE: path}, entry, clock())
    attributes, received_time = archive.restored(entry[0])
    return ReceivedMessage(attributes, entry[1], received_time or _cut_time(attributes, clock))


def _cut_time(attributes: dict[str, str], clock: Clock) -> datetime:
    try:
        return time_of(attributes, "cut_time")
    except EnvelopeError:
        return clock()
