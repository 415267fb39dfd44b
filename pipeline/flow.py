"""The whole flow on one page: messages in, rows out. The same for streaming and batch; no I/O in it."""

from __future__ import annotations

from typing import Protocol

import apache_beam as beam
from apache_beam.pvalue import PCollection

from pipeline.elements import Clock, Message, Rows, Unwritten
from pipeline.enrich import Sites
from pipeline.facts import facts
from pipeline.rolling import RollUp, Schedule
from pipeline.transforms import BATCHES, REJECTS, Decode, DropRepeats, Place, Receive, set_aside
from schemas.registry import Registry


class Sink(Protocol):
    """Where rows go."""

    def write(self) -> beam.PTransform[PCollection[Rows], PCollection[Unwritten]]:
        """Rows of any table -> those that the warehouse refused for their content."""

    def write_or_fail(self) -> beam.PTransform[PCollection[Rows], PCollection[Unwritten]]:
        """The same for rows that may not be refused again: fails instead."""


def build(messages: PCollection[Message], registry: Registry, sink: Sink, schedule: Schedule, clock: Clock) -> None:
    """Every row of every message ends in its fact table or, with its original bytes, in rejects: at least once, repeats dropped."""
    decoded = messages | "Decode" >> beam.ParDo(Decode(clock)).with_outputs(REJECTS, main=BATCHES)
    fresh = decoded[BATCHES] | "Drop repeats" >> DropRepeats()
    placed = fresh | "Enrich" >> beam.ParDo(Place(Sites(registry), clock)).with_outputs(REJECTS, main=BATCHES)
    rolled = placed[BATCHES] | "Roll up" >> RollUp(schedule, clock)

    rows = (
        placed[BATCHES] | "Facts" >> beam.Map(facts),
        rolled.rows,
        fresh | "Receipts" >> beam.ParDo(Receive(clock)),
        decoded[REJECTS],
        placed[REJECTS],
    ) | "All rows" >> beam.Flatten()

    unwritten = rows | "Write" >> sink.write()
    unwritten | "Set aside" >> beam.FlatMap(set_aside, clock) | "Write set aside" >> sink.write_or_fail()
