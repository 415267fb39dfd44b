"""Runs of Beam pipelines that count what comes out: the flow as it is, the flow without what computes on facts, and any other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.pvalue import PCollection

from bench.messages import BEGIN, registry
from pipeline import flow, rejects
from pipeline.elements import ReceivedMessage, TableRows, UnwrittenRows
from pipeline.enrich import Sites
from pipeline.facts import facts
from pipeline.io.sources import FromExportFiles
from pipeline.options import FN_API
from pipeline.rollup.transform import Schedule
from pipeline.transforms.assign_sites import AssignSites
from pipeline.transforms.batch_rows import BatchRows
from pipeline.transforms.decode import Decode
from pipeline.transforms.dedup import Deduplicate
from pipeline.transforms.each import Each

COUNTED: Counter[str] = Counter()
"""Rows by table of the run under way. Engines copy what they run, so it is kept here."""


class Counts:
    """A sink that counts rows and lets them go."""

    def write(self) -> beam.PTransform[tuple[PCollection[TableRows], ...], PCollection[UnwrittenRows]]:
        return Each(beam.ParDo(_Count()))

    def write_or_fail(self) -> beam.PTransform[tuple[PCollection[TableRows], ...], PCollection[UnwrittenRows]]:
        return Each(beam.ParDo(_Count()))


class _Count(beam.DoFn):
    def process(self, rows: TableRows) -> Iterator[UnwrittenRows]:
        COUNTED[rows.table] += rows.rows.num_rows
        return iter(())


def run(build: Callable[[beam.Pipeline], Any]) -> Counter[str]:
    """What came out of a batch run in this process, on the engine that `tinybeam pipeline --mode=batch` uses here."""
    COUNTED.clear()
    with beam.Pipeline(options=PipelineOptions([f"--runner={FN_API}"])) as pipeline:
        build(pipeline)
    return Counter(COUNTED)


def whole(cards: Path) -> Callable[[beam.Pipeline], Any]:
    """The flow as `tinybeam pipeline` builds it."""
    return lambda pipeline: flow.build(_read(pipeline, cards), registry(), Counts(), Schedule(streaming=False), clock)


def facts_only(cards: Path) -> Callable[[beam.Pipeline], Any]:
    """The same steps without those that compute on facts: decode, deduplicate, assign sites, facts and batch rows."""
    return lambda pipeline: _facts_only(_read(pipeline, cards))


def _facts_only(messages: PCollection[ReceivedMessage]) -> None:
    batches, undecodable = messages | "Decode" >> Decode(clock)
    fresh = batches | "Deduplicate" >> Deduplicate()
    row_groups, unplaced = fresh | "Assign sites" >> AssignSites(Sites(registry()), clock)
    written = row_groups | "Facts" >> beam.Map(facts)
    rows = (written, fresh | "Batch rows" >> beam.ParDo(BatchRows(clock)), undecodable, unplaced)
    unwritten = rows | "Write" >> Counts().write()
    (unwritten | "Reject unwritten" >> beam.FlatMap(rejects.of_unwritten, clock),) | "Write rejects" >> Counts().write_or_fail()


def _read(pipeline: beam.Pipeline, cards: Path) -> PCollection[ReceivedMessage]:
    return pipeline | "Read" >> FromExportFiles(str(cards), clock)


def clock() -> datetime:
    """Stands still, some days after the messages."""
    return BEGIN + timedelta(days=9)
