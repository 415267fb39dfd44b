"""Runs Beam pipelines that count their rows: the flow as it is, the flow without what computes on facts, and any other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import apache_beam as beam
from apache_beam.coders import VarIntCoder
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.pvalue import PCollection
from apache_beam.transforms.userstate import ReadModifyWriteRuntimeState, ReadModifyWriteStateSpec

from bench.messages import BEGIN, registry
from lab.world.named_keys import PIPELINE, key_of
from pipeline import flow, rejects
from pipeline.authenticate import Authenticator
from pipeline.elements import ReceivedMessage, TableRows, UnwrittenRows
from pipeline.enrich import Sites
from pipeline.facts import facts
from pipeline.io.sources import FromExportFiles
from pipeline.options import FN_API
from pipeline.rollup.transform import Schedule
from pipeline.transforms import coders
from pipeline.transforms.assign_sites import AssignSites
from pipeline.transforms.batch_rows import BatchRows
from pipeline.transforms.decode import DecodeNew
from pipeline.transforms.each import Each
from pipeline.transforms.gather import Gather
from schemas.registry import FixedRegistry, OfRegistry, Registry

COUNTED: Counter[str] = Counter()
"""Rows by table of the current run. Engines copy what they run, so the counter is global."""


class CountingSink:
    """Counts rows by table and keeps none."""

    def write(self) -> beam.PTransform[Mapping[str, PCollection[TableRows]], PCollection[UnwrittenRows]]:
        return Each(beam.ParDo(_Count()))

    def write_or_fail(self) -> beam.PTransform[Mapping[str, PCollection[TableRows]], PCollection[UnwrittenRows]]:
        return Each(beam.ParDo(_Count()))


class _Count(beam.DoFn):
    def process(self, rows: TableRows) -> Iterator[UnwrittenRows]:
        COUNTED[rows.table] += rows.rows.num_rows
        return iter(())


def run(build: Callable[[beam.Pipeline], Any]) -> Counter[str]:
    """Runs a pipeline in batch mode in this process, on the engine of `tinybeam pipeline --mode=batch`, and returns the rows by table."""
    COUNTED.clear()
    with beam.Pipeline(options=PipelineOptions([f"--runner={FN_API}"])) as pipeline:
        build(pipeline)
    return Counter(COUNTED)


def whole_flow(export_file: Path) -> Callable[[beam.Pipeline], Any]:
    """Builds the flow as `tinybeam pipeline` does."""
    return lambda pipeline: flow.build(
        read(pipeline, export_file), FixedRegistry(registry()), CountingSink(), Schedule(streaming=False), clock
    )


def facts_only(export_file: Path) -> Callable[[beam.Pipeline], Any]:
    """Builds the same steps without those that compute on facts: decode, deduplicate, assign sites, facts and batch rows."""
    return lambda pipeline: _facts_only(read(pipeline, export_file), None)


def facts_of_signed(export_file: Path) -> Callable[[beam.Pipeline], Any]:
    """Builds the same steps, with signatures checked."""
    return lambda pipeline: _facts_only(read(pipeline, export_file), OfRegistry(FixedRegistry(registry()), _authenticator))


def _authenticator(registry: Registry) -> Authenticator:
    return Authenticator(registry.gateways, [key_of(PIPELINE)])


def _facts_only(messages: PCollection[ReceivedMessage], authenticator: OfRegistry[Authenticator] | None) -> None:
    coders.register()
    parcels = messages | "Gather" >> Gather()
    fresh, undecodable, *_ = parcels | "Decode new" >> DecodeNew(clock, authenticator)
    row_groups, unplaced, *_ = fresh | "Assign sites" >> AssignSites(OfRegistry(FixedRegistry(registry()), Sites), clock)
    written = row_groups | "Facts" >> beam.Map(facts).with_output_types(TableRows)
    batches = fresh | "Batch rows" >> beam.ParDo(BatchRows(clock))
    rows = {"Facts": written, "Batches": batches, "Undecodable": undecodable, "Unplaced": unplaced}
    unwritten = rows | "Write" >> CountingSink().write()
    rejected = unwritten | "Reject unwritten" >> beam.FlatMap(rejects.of_unwritten, clock)
    {"Unwritten": rejected} | "Write rejects" >> CountingSink().write_or_fail()


def floor(export_file: Path) -> Callable[[beam.Pipeline], Any]:
    """Builds what a flow of batches cannot do without: messages are read, keyed by gateway, and counted in a state of the key."""
    return lambda pipeline: read(pipeline, export_file) | beam.Map(_by_gateway).with_output_types(_KEYED) | beam.ParDo(_CountInState())


_KEYED = tuple[str, bytes]


def _by_gateway(message: ReceivedMessage) -> tuple[str, bytes]:
    return message.attributes["gateway_id"], message.body


class _CountInState(beam.DoFn):
    _SO_FAR = ReadModifyWriteStateSpec("so_far", VarIntCoder())

    def process(
        self,
        keyed: tuple[str, bytes],
        so_far: ReadModifyWriteRuntimeState = beam.DoFn.StateParam(_SO_FAR),  # type: ignore[assignment]
    ) -> None:
        so_far.write((so_far.read() or 0) + 1)
        COUNTED["messages"] += 1


def read(pipeline: beam.Pipeline, export_file: Path) -> PCollection[ReceivedMessage]:
    """Reads an export file."""
    return pipeline | "Read" >> FromExportFiles(str(export_file), clock)


def clock() -> datetime:
    """Returns a fixed time, some days after the messages."""
    return BEGIN + timedelta(days=9)
