"""The steps as Beam sees them: each hands its elements to a plain function and what it refuses to the rejects.

At least once, in no order. A fault of ours in a step sets the batch aside with its stack trace and holds nobody.
"""

from __future__ import annotations

import traceback
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import apache_beam as beam
from apache_beam.coders import PickleCoder
from apache_beam.pvalue import PCollection, TaggedOutput
from apache_beam.transforms.userstate import ReadModifyWriteRuntimeState, ReadModifyWriteStateSpec
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.timestamp import MAX_TIMESTAMP, MIN_TIMESTAMP, Timestamp
from apache_beam.utils.windowed_value import WindowedValue

from pipeline import rejects
from pipeline.assign_sites import assign_sites
from pipeline.decode import Undecodable, decode
from pipeline.elements import Batch, Clock, Message, Rejected, RowGroup, Rows, Unwritten
from pipeline.enrich import Sites
from pipeline.facts import receipt, rows_of
from pipeline.validate import within_partitions
from schemas import records
from schemas.intervals import IntervalSet

BATCHES = "batches"
REJECTS = "rejects"
ROWS_AT_ONCE = 5000
"""How many rows are made one by one before they go on."""

ROWS_TOGETHER = 10_000
BYTES_TOGETHER = 16_000_000
"""How many rows of batches, or bytes of them, go on together at most, give or take one batch."""


class Decode(beam.DoFn):
    """Message -> Batch; a message that is no batch -> rejects."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def process(self, message: Message) -> Iterator[Any]:
        try:
            yield decode(message)
        except Undecodable as error:
            yield TaggedOutput(REJECTS, rejects.of_message(message, error.reason, str(error), self._clock()))
        except Exception as error:  # noqa: BLE001 - set aside
            yield TaggedOutput(REJECTS, rejects.of_message(message, "fault", repr(error), self._clock(), traceback.format_exc()))


class DropRepeats(beam.PTransform):
    """Lets the first of equal batches through, for ever: one interval set per gateway and epoch.

    It comes after Decode, so that a corrupt copy of a batch never shadows the good one.
    """

    def expand(self, batches: PCollection[Batch]) -> PCollection[Batch]:
        keyed = batches | "Key by store" >> beam.Map(_by_store).with_output_types(tuple[str, Batch])
        return keyed | "Remember" >> beam.ParDo(_Remember()).with_output_types(Batch)


class AssignSites(beam.DoFn):
    """Batches -> Gathered, those of a bundle together: their good rows with their sites; other rows -> rejects."""

    def __init__(self, sites: Sites, clock: Clock) -> None:
        self._sites = sites
        self._clock = clock

    def start_bundle(self) -> None:
        self._held: dict[str, _Held] = defaultdict(_Held)

    def process(self, batch: Batch, timestamp: Timestamp = beam.DoFn.TimestampParam) -> Iterator[Any]:  # type: ignore[assignment]
        held = self._held[batch.envelope.kind]
        held.add(batch, timestamp)
        if held.rows >= ROWS_TOGETHER or held.raw_bytes >= BYTES_TOGETHER:
            yield from self._flush(batch.envelope.kind)

    def finish_bundle(self) -> Iterator[Any]:
        for kind in list(self._held):
            yield from self._flush(kind)

    def _flush(self, kind: str) -> Iterator[Any]:
        """What goes on is as old as the oldest of what it is of."""
        held = self._held.pop(kind)
        for placed, refused in self._placed(held.batches):
            if placed and placed.rows.num_rows:
                yield WindowedValue(placed, held.oldest, (GlobalWindow(),))
            for one in refused:
                yield TaggedOutput(REJECTS, WindowedValue(one, held.oldest, (GlobalWindow(),)))

    def _placed(self, batches: Sequence[Batch]) -> Iterator[tuple[RowGroup | None, list[Rows]]]:
        """A batch that makes us fail is found by taking each alone."""
        try:
            yield assign_sites(batches, self._sites, self._clock())
        except Exception as error:  # noqa: BLE001 - set aside
            if len(batches) == 1:
                fault = Rejected("fault", repr(error), batches[0].rows)
                yield None, [rejects.of_rows(batches[0], fault, "pipeline.enrich", self._clock(), traceback.format_exc())]
            else:
                for batch in batches:
                    yield from self._placed([batch])


@dataclass(slots=True)
class _Held:
    """Batches that wait for more of their kind."""

    batches: list[Batch] = field(default_factory=list)
    rows: int = 0
    raw_bytes: int = 0
    oldest: Timestamp = MAX_TIMESTAMP

    def add(self, batch: Batch, timestamp: Timestamp) -> None:
        self.batches.append(batch)
        self.rows += batch.rows.num_rows
        self.raw_bytes += batch.envelope.raw_bytes
        self.oldest = min(self.oldest, timestamp)


class Collect(beam.DoFn):
    """Anything -> rows for one table, as many at once as the engine's bundle has. What is no record needs `values`: the columns of one."""

    def __init__(self, record: type, values: Callable[[Any], dict[str, Any]] | None = None) -> None:
        self._record = record
        self._values = values or _values_of(record)

    def start_bundle(self) -> None:
        self._held: list[dict[str, Any]] = []

    def process(self, one: Any) -> Iterator[Rows]:
        self._held.append(self._values(one))
        if len(self._held) >= ROWS_AT_ONCE:
            yield self._flush()

    def finish_bundle(self) -> Iterator[WindowedValue]:
        if self._held:
            yield WindowedValue(self._flush(), MIN_TIMESTAMP, (GlobalWindow(),))

    def _flush(self) -> Rows:
        held, self._held = self._held, []
        return rows_of(self._record, held)


class Receive(beam.DoFn):
    """Batches -> their own rows, those of a bundle at once, or rejects if a wrong clock cut one at a time that no partition has."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def start_bundle(self) -> None:
        self._held: list[dict[str, Any]] = []

    def process(self, batch: Batch) -> Iterator[Rows]:
        self._held.append(receipt(batch))
        if len(self._held) >= ROWS_AT_ONCE:
            yield from self._flush()

    def finish_bundle(self) -> Iterator[WindowedValue]:
        return (WindowedValue(rows, MIN_TIMESTAMP, (GlobalWindow(),)) for rows in self._flush())

    def _flush(self) -> Iterator[Rows]:
        held, self._held = self._held, []
        if held:
            written, refused = within_partitions(rows_of(records.Batch, held), self._clock())
            if written:
                yield written
            if refused:
                yield from rejects.of_unwritten(Unwritten("batches_v1", refused), self._clock())


def set_aside(unwritten: Unwritten, clock: Clock) -> list[Rows]:
    """Rejects of what the warehouse refused."""
    return rejects.of_unwritten(unwritten, clock())


def _values_of(record: type) -> Callable[[Any], dict[str, Any]]:
    names = [column.name for column in fields(record)]
    return lambda one: {name: getattr(one, name) for name in names}


class _Remember(beam.DoFn):
    _SEEN = ReadModifyWriteStateSpec("seen", PickleCoder())

    def process(self, keyed: tuple[str, Batch], seen: ReadModifyWriteRuntimeState = beam.DoFn.StateParam(_SEEN)) -> Iterator[Batch]:  # type: ignore[assignment]
        _, batch = keyed
        numbers = IntervalSet(seen.read() or ())
        if numbers.add(batch.envelope.seq):
            seen.write(numbers.flat())
            yield batch


def _by_store(batch: Batch) -> tuple[str, Batch]:
    return f"{batch.envelope.gateway_id}:{batch.envelope.epoch}", batch
