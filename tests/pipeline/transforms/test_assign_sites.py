"""The batches of a bundle go on together, bounded, with their times; one that makes us fail stops nobody."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import apache_beam as beam
import pyarrow as pa
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.transforms.window import TimestampedValue

from pipeline.elements import DecodedBatches, RowGroup, TableRows
from pipeline.enrich import Sites
from pipeline.options import FN_API
from pipeline.transforms.assign_sites import ROWS_TOGETHER, AssignSites
from schemas.registry import FixedRegistry, OfRegistry
from tests.pipeline.bodies import REGISTRY, numbered, numbered_batch, one_of, summary
from tests.pipeline.memory import still

SITES = OfRegistry(FixedRegistry(REGISTRY), Sites)


class Poisoned(Sites):
    """Fails on one device, as a fault of ours would."""

    def of(self, devices: pa.Array, times: pa.Array) -> pa.Array:
        if "d2" in devices.to_pylist():
            raise ZeroDivisionError("of d2")
        return super().of(devices, times)


ROW_GROUPS: list[RowGroup] = []
REJECTS: list[TableRows] = []
ARRIVALS: list[float] = []


def _keep(row_group: RowGroup, timestamp: Any = beam.DoFn.TimestampParam) -> None:
    ROW_GROUPS.append(row_group)
    ARRIVALS.append(timestamp.micros / 1e6)


def _as_it_arrived(batches: DecodedBatches) -> TimestampedValue:
    return TimestampedValue(batches, batches.receipts.column("received_time")[0].as_py().timestamp())


def _keep_reject(reject: TableRows) -> None:
    REJECTS.append(reject)


def run(batches: Sequence[DecodedBatches], sites: OfRegistry[Any] = SITES) -> None:
    for kept in (ROW_GROUPS, REJECTS, ARRIVALS):
        kept.clear()
    with beam.Pipeline(options=PipelineOptions([f"--runner={FN_API}"])) as pipeline:
        arrived = pipeline | beam.Create(list(batches)) | beam.Map(_as_it_arrived)
        row_groups, rejects, *_ = arrived | AssignSites(sites, still)
        row_groups | "Keep" >> beam.Map(_keep)
        rejects | "Keep rejects" >> beam.Map(_keep_reject)


def test_a_batch_that_makes_us_fail_is_set_aside_alone_with_the_stack_trace() -> None:
    run(
        [numbered_batch(0, [summary("d1")]), numbered_batch(1, [summary("d2")]), numbered_batch(2, [summary("d1")])],
        OfRegistry(FixedRegistry(REGISTRY), Poisoned),
    )
    assert sorted(name for row_group in ROW_GROUPS for name in row_group.rows.column("batch_id").to_pylist()) == ["gw0:7:1", "gw0:7:3"]
    [row] = [row for reject in REJECTS for row in reject.rows.to_pylist()]
    assert (row["reason"], row["batch_id"]) == ("fault", "gw1:7:2")
    assert "ZeroDivisionError" in row["stacktrace"]


def test_a_bundle_goes_on_in_pieces_of_bounded_size_and_none_of_it_waits() -> None:
    run([numbered_batch(number, [*numbered(1500), summary("stranger")]) for number in range(10)] + [numbered_batch(10, [one_of("events")])])
    sizes = {kind: [row_group.rows.num_rows for row_group in ROW_GROUPS if row_group.kind == kind] for kind in ("summaries", "events")}
    assert {kind: sum(counts) for kind, counts in sizes.items()} == {"summaries": 15_000, "events": 1}
    assert max(sizes["summaries"]) < ROWS_TOGETHER + 1501
    rejected = Counter(row["batch_id"] for reject in REJECTS for row in reject.rows.to_pylist())
    assert rejected == Counter({f"gw{number % 2}:7:{1 + number}": 1 for number in range(10)})


def test_what_goes_on_is_as_old_as_the_oldest_of_it() -> None:
    run([numbered_batch(number, [summary()]) for number in (3, 1, 2)])
    oldest = {min(_arrivals(row_group)).timestamp() for row_group in ROW_GROUPS}
    assert set(ARRIVALS) == oldest


def _arrivals(row_group: RowGroup) -> list[datetime]:
    times: list[datetime] = row_group.rows.column("received_time").to_pylist()
    return times
