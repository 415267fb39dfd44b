"""Batches are looked at together, and nobody can tell from what comes out."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import apache_beam as beam
import pyarrow as pa
import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.transforms.window import TimestampedValue
from hypothesis import given
from hypothesis import strategies as st

from pipeline.assign_sites import assign_sites, by_batch, gather
from pipeline.elements import Batch, RowGroup, Rows
from pipeline.enrich import Sites
from pipeline.facts import facts
from pipeline.options import FN_API
from pipeline.transforms import BATCHES, REJECTS, ROWS_TOGETHER, AssignSites
from schemas.records import Summary
from tests.pipeline.bodies import NOW, REGISTRY, batch, numbered, one_of, summary
from tests.pipeline.memory import still

SITES = Sites(REGISTRY)

ROWS = st.sampled_from(
    [
        summary("d1", NOW, 1.0),
        summary("d2", NOW + timedelta(minutes=1), 2.0),
        summary("stranger"),
        summary(sum=math.nan),
        summary("stranger", count=0),
        summary(start=NOW - timedelta(days=3000)),
    ]
)


def made(number: int, rows: Sequence[Any]) -> Batch:
    """Batches of two gateways, each with its own arrival."""
    return batch(list(rows), NOW + timedelta(seconds=number), gateway_id=f"gw{number % 2}", seq=1 + number)


def together(batches: Sequence[Batch]) -> tuple[pa.Table, Counter[tuple[Any, ...]]]:
    return described([assign_sites(batches, SITES, NOW)])


def described(found: Iterable[tuple[RowGroup, list[Rows]]]) -> tuple[pa.Table, Counter[tuple[Any, ...]]]:
    """All fact rows in order, and what tells a reject from another."""
    pairs = list(found)
    rejects = [row for _, refused in pairs for one in refused for row in one.rows.to_pylist()]
    told = Counter((row["reject_id"], row["payloadBytes"], row["stage"], row["reason"], row["batch_id"]) for row in rejects)
    return pa.Table.from_batches([facts(placed).rows for placed, _ in pairs]), told


@given(st.lists(st.lists(ROWS, min_size=1, max_size=5), min_size=1, max_size=6))
def test_batches_together_give_what_each_gives_alone(piles: list[list[Summary]]) -> None:
    batches = [made(number, pile) for number, pile in enumerate(piles)]
    alone, rejects = described(assign_sites([one], SITES, NOW) for one in batches)
    found, refused = together(batches)
    assert found.to_pylist() == alone.to_pylist()
    assert refused == rejects


@pytest.mark.parametrize("kind", ["summaries", "inferences", "events", "heartbeats", "rejects"])
def test_each_row_keeps_its_batch_gateway_and_arrival(kind: str) -> None:
    rows = gather([made(number, [one_of(kind)] * (number + 1)) for number in range(3)]).rows
    named = zip(*(rows.column(name).to_pylist() for name in ("batch_id", "gateway_id", "received_time", "row")), strict=True)
    numbers = [(0, 0), (1, 0), (1, 1), (2, 0), (2, 1), (2, 2)]
    assert list(named) == [(f"gw{of % 2}:7:{1 + of}", f"gw{of % 2}", NOW + timedelta(seconds=of), row) for of, row in numbers]


def test_the_rows_of_each_batch_are_found_again() -> None:
    batches = [made(number, numbered(1 + number)) for number in range(3)]
    assert [part.rows.column("row").to_pylist() for part in by_batch(gather(batches))] == [[0], [0, 1], [0, 1, 2]]


class Poisoned(Sites):
    """Fails on one device, as a fault of ours would."""

    def of(self, devices: pa.Array, times: pa.Array) -> pa.Array:
        if "d2" in devices.to_pylist():
            raise ZeroDivisionError("of d2")
        return super().of(devices, times)


GIVEN: list[RowGroup] = []
REFUSED: list[Rows] = []
ARRIVALS: list[float] = []


def _keep(placed: RowGroup, timestamp: Any = beam.DoFn.TimestampParam) -> None:
    GIVEN.append(placed)
    ARRIVALS.append(timestamp.micros / 1e6)


def _keep_reject(reject: Rows) -> None:
    REFUSED.append(reject)


def run(batches: Sequence[Batch], sites: Sites = SITES) -> None:
    for kept in (GIVEN, REFUSED, ARRIVALS):
        kept.clear()
    with beam.Pipeline(options=PipelineOptions([f"--runner={FN_API}"])) as pipeline:
        arrived = pipeline | beam.Create(list(batches)) | beam.Map(lambda one: TimestampedValue(one, one.received_time.timestamp()))
        out = arrived | beam.ParDo(AssignSites(sites, still)).with_outputs(REJECTS, main=BATCHES)
        out[BATCHES] | "Keep" >> beam.Map(_keep)
        out[REJECTS] | "Keep rejects" >> beam.Map(_keep_reject)


def test_a_batch_that_makes_us_fail_is_set_aside_alone_with_the_stack_trace() -> None:
    run([made(0, [summary("d1")]), made(1, [summary("d2")]), made(2, [summary("d1")])], Poisoned(REGISTRY))
    assert sorted(name for placed in GIVEN for name in placed.rows.column("batch_id").to_pylist()) == ["gw0:7:1", "gw0:7:3"]
    [row] = [row for one in REFUSED for row in one.rows.to_pylist()]
    assert (row["reason"], row["batch_id"]) == ("fault", "gw1:7:2")
    assert "ZeroDivisionError" in row["stacktrace"]


def test_a_bundle_goes_on_in_pieces_of_bounded_size_and_none_of_it_is_held() -> None:
    run([made(number, [*numbered(1500), summary("stranger")]) for number in range(10)] + [made(10, [one_of("events")])])
    sizes = {kind: [placed.rows.num_rows for placed in GIVEN if placed.kind == kind] for kind in ("summaries", "events")}
    assert {kind: sum(some) for kind, some in sizes.items()} == {"summaries": 15_000, "events": 1}
    assert max(sizes["summaries"]) < ROWS_TOGETHER + 1501
    refused = Counter(row["batch_id"] for one in REFUSED for row in one.rows.to_pylist())
    assert refused == Counter({f"gw{number % 2}:7:{1 + number}": 1 for number in range(10)})


def test_what_goes_on_is_as_old_as_the_oldest_of_it() -> None:
    run([made(number, [summary()]) for number in (3, 1, 2)])
    oldest = {min(_arrivals(placed)).timestamp() for placed in GIVEN}
    assert set(ARRIVALS) == oldest


def _arrivals(placed: RowGroup) -> list[datetime]:
    times: list[datetime] = placed.rows.column("received_time").to_pylist()
    return times
