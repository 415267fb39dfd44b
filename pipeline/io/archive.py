"""Writes the archive: every message that came lies in a file when its bundle ends, and small files are gathered into large ones by and by.

At least once: a retry may write an entry into a second file; whoever reads the archive drops repeats anyway.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import apache_beam as beam
from apache_beam.coders import BytesCoder
from apache_beam.io.filesystems import FileSystems
from apache_beam.pvalue import PCollection, TaggedOutput
from apache_beam.transforms.timeutil import TimeDomain
from apache_beam.transforms.userstate import (
    ReadModifyWriteRuntimeState,
    ReadModifyWriteStateSpec,
    RuntimeTimer,
    TimerSpec,
    on_timer,
)
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.timestamp import MIN_TIMESTAMP, Timestamp
from apache_beam.utils.windowed_value import WindowedValue

from pipeline import archive
from pipeline.elements import ArchiveEntry, Clock, DecodedBatches, Delivery, TableRows
from pipeline.io import files
from pipeline.io.append import brief
from pipeline.state import StateFormat
from pipeline.transforms.each import Each
from pipeline.transforms.of_bundle import OfBundle
from program import logs

MOST_FILES = 500
"""How many small files are gathered at once at most."""
MOST_BYTES = 64_000_000
"""A file of the archive is closed when it holds so much."""

_FILES = "files"
_LOG = logs.get(__name__)
_Deliveries = tuple[PCollection[Delivery], PCollection[Delivery]]
"""Are what messages became that are no batches, and what batches became."""
_ArrivedFile = tuple[str, tuple[str, int]]
"""Place, then path and bytes of a small file."""


class ArchiveError(Exception):
    """The archive cannot be used; the text names the flag and says why."""


@dataclass(frozen=True, slots=True)
class Gathering:
    """Says when small files become one: after so many seconds, or when they hold so many bytes."""

    seconds: float = 3600.0
    most_bytes: int = MOST_BYTES


class WaitingFiles(NamedTuple):
    """Names the small files of a place that wait to be one, and says how many bytes they hold."""

    paths: tuple[str, ...]
    bytes: int


WAITING = StateFormat("archived_files", 1, WaitingFiles)


class Archive(beam.PTransform):
    """Archives what came: `(batches, undecodable) | Archive(folder, gathering, clock)`.

    Without `gathering`, in batch mode, bundles are large and their files stay as they are.
    """

    def __init__(self, folder: str, clock: Clock, gathering: Gathering | None) -> None:
        super().__init__()
        self._folder = folder
        self._clock = clock
        self._gathering = gathering

    def expand(self, inputs: tuple[PCollection[DecodedBatches], PCollection[TableRows]]) -> Any:
        batches, undecodable = inputs
        entries = {
            "Batches": batches | "Batches" >> beam.FlatMap(archive.of_batches).with_output_types(ArchiveEntry),
            "Undecodable": undecodable | "Undecodable" >> beam.FlatMap(archive.of_rejects).with_output_types(ArchiveEntry),
        }
        prefix = archive.ARRIVED if self._gathering else ""
        arrived = entries | "Write files" >> Each(beam.ParDo(_WriteFiles(self._folder, prefix)).with_output_types(_ArrivedFile))
        if self._gathering is None:
            return arrived
        return arrived | "Gather" >> beam.ParDo(_Gather(self._folder, self._gathering, self._clock))


class ArchiveFirst(beam.PTransform):
    """Archives messages, then passes on what they became, so that none is acknowledged before it is kept; gives the two that it takes."""

    def __init__(self, folder: str, clock: Clock, gathering: Gathering) -> None:
        super().__init__()
        self._folder = folder
        self._clock = clock
        self._gathering = gathering

    def expand(self, deliveries: _Deliveries) -> _Deliveries:
        write = beam.ParDo(_WriteFirst(self._folder)).with_output_types(Delivery, **{_FILES: _ArrivedFile})
        undecodable, placed = (
            each | f"Write files of {name}" >> write.with_outputs(_FILES, main="deliveries")
            for name, each in zip(("undecodable", "placed"), deliveries, strict=True)
        )
        arrived = (undecodable[_FILES], placed[_FILES]) | beam.Flatten()
        arrived | "Gather" >> beam.ParDo(_Gather(self._folder, self._gathering, self._clock))
        return undecodable["deliveries"], placed["deliveries"]


class _WriteFirst(OfBundle):
    """Writes the entries of a bundle's deliveries into a file for each place; only then do the deliveries go on."""

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def finish_bundle(self) -> Iterator[Any]:
        for place, content in archive.by_place(entry for each in self.elements for entry in each.entries).items():
            file = place, (_write(self._folder, place, content, archive.ARRIVED), len(content))
            yield TaggedOutput(_FILES, WindowedValue(file, MIN_TIMESTAMP, (GlobalWindow(),)))
        for delivery in self.elements:
            yield WindowedValue(replace(delivery, entries=()), MIN_TIMESTAMP, (GlobalWindow(),))


class _WriteFiles(beam.DoFn):
    """Writes the entries of a bundle into a file for each place, and one more whenever they become many bytes."""

    def __init__(self, folder: str, prefix: str) -> None:
        self._folder = folder
        self._prefix = prefix

    def start_bundle(self) -> None:
        self._entries: list[ArchiveEntry] = []
        self._bytes = 0

    def process(self, entry: ArchiveEntry) -> Iterator[_ArrivedFile]:
        self._entries.append(entry)
        self._bytes += len(entry.content)
        if self._bytes > MOST_BYTES:
            yield from self._flush()

    def finish_bundle(self) -> Iterator[WindowedValue]:
        return (WindowedValue(file, MIN_TIMESTAMP, (GlobalWindow(),)) for file in self._flush())

    def _flush(self) -> list[_ArrivedFile]:
        contents = archive.by_place(self._entries)
        self.start_bundle()
        return [(place, (_write(self._folder, place, content, self._prefix), len(content))) for place, content in contents.items()]


class _Gather(beam.DoFn):
    """Gathers the small files of a place into one, then removes them. The state holds their names, never what is in them."""

    _FILES = ReadModifyWriteStateSpec("files", BytesCoder())
    _DUE = TimerSpec("due", TimeDomain.REAL_TIME)

    def __init__(self, folder: str, gathering: Gathering, clock: Clock) -> None:
        self._folder = folder
        self._gathering = gathering
        self._clock = clock

    def process(
        self,
        arrived: _ArrivedFile,
        stored: ReadModifyWriteRuntimeState = beam.DoFn.StateParam(_FILES),  # type: ignore[assignment]
        due: RuntimeTimer = beam.DoFn.TimerParam(_DUE),  # type: ignore[assignment]
    ) -> None:
        place, (path, size) = arrived
        waiting = WAITING.unpack(stored.read()) or WaitingFiles((), 0)
        if not waiting.paths:
            due.set(Timestamp(self._clock().timestamp() + self._gathering.seconds))
        waiting = WaitingFiles((*waiting.paths, path), waiting.bytes + size)
        if waiting.bytes >= self._gathering.most_bytes or len(waiting.paths) >= MOST_FILES:
            gather(self._folder, place, waiting.paths)
            stored.clear()
        else:
            stored.write(WAITING.pack(waiting))

    @on_timer(_DUE)
    def on_due(
        self,
        place: str = beam.DoFn.KeyParam,  # type: ignore[assignment]
        stored: ReadModifyWriteRuntimeState = beam.DoFn.StateParam(_FILES),  # type: ignore[assignment]
    ) -> None:
        waiting = WAITING.unpack(stored.read())
        if waiting:
            gather(self._folder, place, waiting.paths)
            stored.clear()


def gather(folder: str, place: str, paths: Iterable[str]) -> None:
    """Joins small files of a place into one, then removes them. Where that fails they stay, and are as good as the one.

    A file that is gone was joined by an earlier attempt, or by another run.
    """
    try:
        contents = {path: content for path in sorted(set(paths)) if (content := _content(path)) is not None}
    except Exception as error:  # noqa: BLE001 - each filesystem has its own exceptions
        _LOG.warning("small files of %s stay in the archive: %s", place, brief(error))
        return
    if contents:
        _write(folder, place, b"".join(contents.values()))
        files.remove(contents)
        _LOG.info("%d files of %s are one now", len(contents), place)


def gather_leftovers(folder: str, most_bytes: int = MOST_BYTES) -> None:
    """Joins the small files that an earlier run left behind."""
    sizes = files.matching(f"{folder}/**/{archive.ARRIVED}*{archive.SUFFIX}")
    for place, paths in archive.portions(sizes, most_bytes, MOST_FILES):
        gather(folder, place, paths)


def check(folder: str) -> None:
    """Writes a file into the archive and removes it. Raises ArchiveError."""
    path = FileSystems.join(folder, ".writable")
    try:
        files.write_once(path, b"")
        FileSystems.delete([path])
    except Exception as error:
        raise ArchiveError(f"--archive={folder} cannot be written to: {brief(error)}") from error


def _write(folder: str, place: str, content: bytes, prefix: str = "") -> str:
    path = f"{folder}/{place}/{archive.file_name(content, prefix)}"
    files.write(path, content)
    return path


def _content(path: str) -> bytes | None:
    try:
        return files.read(path)
    except Exception:
        if FileSystems.exists(path):
            raise
        return None
