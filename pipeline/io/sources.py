"""Reads messages from a Pub/Sub subscription, or from export files and the archive: at least once, in no order.

Nothing is interpreted here.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import apache_beam as beam
from apache_beam.io.fileio import MatchFiles, ReadableFile, ReadMatches
from apache_beam.io.gcp.pubsub import PubsubMessage, ReadFromPubSub
from apache_beam.pvalue import PBegin, PCollection
from apache_beam.utils.timestamp import Timestamp

from pipeline import archive
from pipeline.archive import SUFFIX
from pipeline.elements import EXPORT_FILE, Clock, ReceivedMessage
from pipeline.io.append import brief
from pipeline.io.files import matching
from program import logs
from schemas.envelope import EnvelopeError, entries, time_of
from schemas.message import unfolded

_LOG = logs.get(__name__)


class FromSubscription(beam.PTransform):
    """Reads the messages of a subscription; `received_time` is when Pub/Sub received them."""

    def __init__(self, subscription: str) -> None:
        super().__init__()
        self._read = ReadFromPubSub(subscription=subscription, with_attributes=True)

    def expand(self, root: PBegin) -> PCollection[ReceivedMessage]:
        return root | "Read subscription" >> self._read | "Messages" >> beam.ParDo(_AsMessage()).with_output_types(ReceivedMessage)


class NoInput(ValueError):
    """No file is where --input says; the text says so."""


@dataclass(frozen=True, slots=True)
class ExportFiles:
    """Says which export files a run reads: a glob, and how many files of how many bytes it named at launch."""

    glob: str
    files: int
    bytes: int

    @classmethod
    def at(cls, place: str) -> ExportFiles:
        """Finds the files of a glob, or all `.tbb` in a folder and the folders in it. Raises NoInput."""
        glob = _glob(place)
        try:
            sizes = matching(glob)
        except Exception as error:
            raise NoInput(f"--input={place} cannot be looked at: {brief(error)}") from error
        if not sizes:
            raise NoInput(f"--input={place} names no file: nothing matches {glob}")
        return cls(glob, len(sizes), sum(sizes.values()))


class FromExportFiles(beam.PTransform):
    """Reads the messages of the export files that a glob names, on any of Beam's filesystems.

    `received_time` is what the archive says, else when the gateway cut the batch. Bytes that are no sound entry come as a message with the
    attribute EXPORT_FILE.
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
        attributes, body = unfolded(message.attributes or {}, bytes(message.data or b""))
        yield ReceivedMessage(attributes, body, _plain(received))


def _plain(time: datetime) -> datetime:
    """Returns Google's own datetime class as the standard one."""
    return datetime.fromtimestamp(time.timestamp(), time.tzinfo).replace(microsecond=time.microsecond)


def _glob(place: str) -> str:
    """Returns the glob of a folder, with `/**` or without; every other place is one already."""
    folder = place.removesuffix("**").rstrip("/")
    if place.endswith("/**") or Path(place).is_dir() or ("://" in place and not place.endswith(SUFFIX) and not set(place) & set("*?[")):
        return f"{folder}/**{SUFFIX}"
    return place


def _messages(file: ReadableFile, clock: Clock) -> Iterator[ReceivedMessage]:
    with file.open() as export:
        try:
            for entry in entries(export):
                yield _message(entry, file.metadata.path, clock)
        except EnvelopeError as error:
            raise RuntimeError(f"{file.metadata.path}: {error}") from error
    _PROGRESS.file_done(file.metadata.size_in_bytes)


class _Progress:
    """Says now and then how much this process has read."""

    def __init__(self, every_seconds: float = 5.0) -> None:
        self._every_seconds = every_seconds
        self._next = time.monotonic() + every_seconds
        self._files = self._bytes = 0

    def file_done(self, size: int) -> None:
        self._files += 1
        self._bytes += size
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + self._every_seconds
            _LOG.info("%d files of %.1f MB are read", self._files, self._bytes / 1e6)


_PROGRESS = _Progress()


def _message(entry: tuple[dict[str, str], bytes] | bytes, path: str, clock: Clock) -> ReceivedMessage:
    if isinstance(entry, bytes):
        return ReceivedMessage({EXPORT_FILE: path}, entry, clock())
    restored, received_time = archive.restored(entry[0])
    attributes, body = unfolded(restored, entry[1])  # an older pipeline archived it as it came
    return ReceivedMessage(attributes, body, received_time or _cut_time(attributes, clock))


def _cut_time(attributes: dict[str, str], clock: Clock) -> datetime:
    try:
        return time_of(attributes, "cut_time")
    except EnvelopeError:
        return clock()
