"""Writes what messages became by load jobs, and acknowledges them then, never before: a message waits until its load is done."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import apache_beam as beam
from apache_beam.pvalue import PCollection
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.timestamp import MIN_TIMESTAMP
from apache_beam.utils.windowed_value import WindowedValue

from pipeline.elements import Clock, Delivery
from pipeline.io import warehouse
from pipeline.io.loads.streaming import Keyed, Load, load_files, unpacked, write_files
from pipeline.io.loads.waiting import FILES, Files, Gathering, Size
from pipeline.io.subscription.sink import Acknowledger, News, news_of, write_refused
from pipeline.io.warehouse import Warehouse
from pipeline.transforms.each import Each
from pipeline.transforms.of_bundle import OfBundle

OUT_AT_MOST = Size(bytes=256_000_000, messages=10_000)
"""So much waits for a load at most: half of the messages that may be pulled and not acknowledged, so that others are pulled meanwhile."""

_ALL = "all"
"""What messages became is loaded together, for one may have rows of several tables."""


class ByLoads(beam.PTransform):
    """Writes deliveries: `{"Placed": placed} | ByLoads(folder, gathering, load, acknowledger, clock)`, where `load` returns when all rows
    of files are in the warehouse; gives news of their batches.
    """

    def __init__(
        self, folder: str, gathering: Gathering, load: Callable[[Files], None], acknowledger: Callable[[], Acknowledger], clock: Clock
    ) -> None:
        super().__init__()
        self._folder, self._gathering, self._clock = folder, gathering, clock
        self._load = LoadAndAcknowledge(load, acknowledger)

    def expand(self, deliveries: Mapping[str, PCollection[Delivery]]) -> PCollection[News]:
        files = deliveries | "Write files" >> Each(beam.ParDo(_WriteFiles(self._folder)).with_output_types(Keyed))
        return files | Load(beam.ParDo(self._load).with_output_types(News), self._gathering, self._clock)


class _WriteFiles(OfBundle):
    """Writes the rows of a bundle's deliveries into a file for each table; the ids of the messages stay with its name."""

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def finish_bundle(self) -> Iterator[WindowedValue]:
        deliveries: list[Delivery] = self.elements
        files, size = write_files(self._folder, (rows for delivery in deliveries for rows in delivery.tables))
        ack_ids = tuple(ack_id for delivery in deliveries for ack_id in delivery.ack_ids)
        batches = tuple(name for delivery in deliveries for name in delivery.batches)
        if deliveries:
            yield WindowedValue((_ALL, FILES.pack(Files(tuple(files), size, ack_ids, batches))), MIN_TIMESTAMP, (GlobalWindow(),))


class LoadAndAcknowledge(beam.DoFn):
    """Loads files, then acknowledges the messages in them; says which batches are written."""

    def __init__(self, load: Callable[[Files], None], acknowledger: Callable[[], Acknowledger]) -> None:
        self._load, self._acknowledger = load, acknowledger

    def process(self, keyed: Keyed) -> Iterator[News]:
        files = unpacked(keyed[1])
        self._load(files)
        self._acknowledger().acknowledge(files.ack_ids)
        yield from news_of(files.batches)


def load_all(where: Warehouse, clock: Clock, files: Files) -> None:
    """Loads files; rows that are refused become rejects. Raises RuntimeError if these are refused, too."""
    write_refused(warehouse.appender(where), load_files(where, files), clock)
