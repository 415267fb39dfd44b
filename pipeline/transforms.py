"""The steps as Beam sees them: each hands its elements to a plain function and what it refuses to the rejects.

At least once, in no order. A fault of ours in a step sets the batch aside with its stack trace and holds nobody.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Iterator
from dataclasses import fields
from typing import Any

import apache_beam as beam
from apache_beam.coders import PickleCoder
from apache_beam.pvalue import PCollection, TaggedOutput
from apache_beam.transforms.userstate import ReadModifyWriteRuntimeState, ReadModifyWriteStateSpec
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.timestamp import MIN_TIMESTAMP
from apache_beam.utils.windowed_value import WindowedValue

from pipeline import rejects
from pipeline.decode import Undecodable, decode
from pipeline.elements import Batch, Clock, Message, Refused, Rows, Unwritten
from pipeline.enrich import Sites, enrich
from pipeline.facts import receipt, rows_of
from pipeline.sift import sift, within_partitions
from schemas import records
from schemas.intervals import IntervalSet

BATCHES = "batches"
REJECTS = "rejects"
ROWS_AT_ONCE = 5000


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


class Place(beam.DoFn):
    """Batch -> Batch of its good rows with their sites; other rows -> rejects."""

    def __init__(self, sites: Sites, clock: Clock) -> None:
        self._sites = sites
        self._clock = clock

    def process(self, batch: Batch) -> Iterator[Any]:
        try:
            yield from self._place(batch)
        except Exception as error:  # noqa: BLE001 - set aside
            fault = Refused("fault", repr(error), batch.rows)
            yield TaggedOutput(REJECTS, rejects.of_rows(batch, fault, "pipeline.enrich", self._clock(), traceback.format_exc()))

    def _place(self, batch: Batch) -> Iterable[Any]:
        sound, bad = sift(batch, self._clock())
        placed, unknown = enrich(sound, self._sites)
        made: list[Any] = [placed] if placed.rows.num_rows else []
        made += [TaggedOutput(REJECTS, rejects.of_rows(batch, one, "pipeline.decode", self._clock())) for one in bad]
        made += [TaggedOutput(REJECTS, rejects.of_rows(batch, one, "pipeline.enrich", self._clock())) for one in unknown]
        return made


class Collect(beam.DoFn):
    """Records of one kind -> rows for its table, as many at once as the engine's bundle has."""

    def __init__(self, record: type) -> None:
        self._record = record

    def start_bundle(self) -> None:
        self._held: list[dict[str, Any]] = []

    def process(self, one: Any) -> Iterator[Rows]:
        self._held.append({column.name: getattr(one, column.name) for column in fields(self._record)})
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
