"""The whole flow on one page: messages in, rows out. The same for streaming and batch; no I/O in it."""

from __future__ import annotations

from typing import Any, Protocol

import apache_beam as beam
from apache_beam.pvalue import PCollection

from pipeline.alerts.transform import RaiseAlerts, Watched, notices
from pipeline.elements import Clock, Message, Notice, Rows, Unwritten
from pipeline.enrich import Sites
from pipeline.facts import facts
from pipeline.irrigation.transform import Irrigate
from pipeline.rollup.transform import RollUp, Schedule
from pipeline.transforms import BATCHES, REJECTS, AssignSites, Collect, Decode, DropRepeats, Receive, set_aside
from schemas.records import Alert, Irrigation
from schemas.registry import Registry


class Sink(Protocol):
    """Where rows go."""

    def write(self) -> beam.PTransform[tuple[PCollection[Rows], ...], PCollection[Unwritten]]:
        """Collections of rows of any table -> those rows that the warehouse refused for their content."""

    def write_or_fail(self) -> beam.PTransform[tuple[PCollection[Rows], ...], PCollection[Unwritten]]:
        """The same for rows that may not be refused again: fails instead."""


Tell = beam.PTransform[PCollection[Notice], Any]
"""Where notices go."""


def build(  # noqa: PLR0913 - what the flow is put together from
    messages: PCollection[Message], registry: Registry, sink: Sink, schedule: Schedule, clock: Clock, tell: Tell | None = None
) -> None:
    """Every row of every message ends in its fact table or, with its original bytes, in rejects: at least once, repeats dropped.

    Alerts that are not historical go to `tell` too, if it is given.
    """
    decoded = messages | "Decode" >> beam.ParDo(Decode(clock)).with_outputs(REJECTS, main=BATCHES)
    fresh = decoded[BATCHES] | "Drop repeats" >> DropRepeats()
    placed = fresh | "Enrich" >> beam.ParDo(AssignSites(Sites(registry), clock)).with_outputs(REJECTS, main=BATCHES)
    rolled = placed[BATCHES] | "Roll up" >> RollUp(schedule, clock)
    irrigation = rolled.windows | "Irrigate" >> Irrigate(registry, schedule, clock)
    alerts = Watched(placed[BATCHES], rolled.windows, irrigation) | "Alerts" >> RaiseAlerts(registry, schedule, clock)

    rows = (
        placed[BATCHES] | "Facts" >> beam.Map(facts),
        rolled.rows,
        irrigation | "Irrigation" >> beam.ParDo(Collect(Irrigation)),
        alerts | "Alert rows" >> beam.ParDo(Collect(Alert)),
        fresh | "Receipts" >> beam.ParDo(Receive(clock)),
        decoded[REJECTS],
        placed[REJECTS],
    )

    unwritten = rows | "Write" >> sink.write()
    (unwritten | "Set aside" >> beam.FlatMap(set_aside, clock),) | "Write set aside" >> sink.write_or_fail()
    if tell:
        alerts | "Notices" >> beam.FlatMap(notices) | "Tell" >> tell
