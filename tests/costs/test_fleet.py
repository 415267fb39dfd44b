"""What a fleet is said to send and to fill is what the gateway's and the pipeline's own code send and write."""

from __future__ import annotations

from collections import defaultdict
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import apache_beam as beam
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from apache_beam.options.pipeline_options import PipelineOptions

from costs.fleet import MONTH, Fleet, month, settings_of
from costs.stored import STORED_BYTES
from costs.ways import HOURS, rows
from edge.day_cost import play
from edge.store.store import Store
from pipeline import flow
from pipeline.elements import ReceivedMessage, wall_clock
from pipeline.options import FN_API
from pipeline.rollup.transform import Schedule
from schemas.records import Device, Site
from schemas.registry import FixedRegistry, Registry
from tests.pipeline.bodies import ALWAYS
from tests.pipeline.memory import WRITTEN, MemorySink

FLEET = Fleet(
    gateways=1,
    devices=20,
    channels=2,
    every=timedelta(minutes=1),
    window=timedelta(minutes=1),
    batch=timedelta(minutes=15),
)
SPAN = timedelta(hours=2)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, pa.Table]:
    """What the pipeline writes, by table, of what a gateway of the fleet sends in a while."""
    settings = settings_of(FLEET)
    names = settings.sensors[0].devices
    with closing(Store(tmp_path_factory.mktemp("costs") / "store.db", "gateway-1", 1 << 30)) as store:
        play(settings, store, [(name, settings.sensors[0]) for name in names], FLEET.every, SPAN)
        messages = [ReceivedMessage(batch.envelope.attributes(), batch.body, wall_clock()) for batch in store.batches(0, 10_000)]
    sites = (Site(site_id="farm", name="farm", valid_from=ALWAYS),)
    devices = tuple(Device(name, "sensors", "farm", ALWAYS, None) for name in names)
    sink = MemorySink("costs")
    with beam.Pipeline(options=PipelineOptions([f"--runner={FN_API}"])) as pipeline:
        flow.build(pipeline | beam.Create(messages), FixedRegistry(Registry(sites, devices)), sink, Schedule(streaming=False), wall_clock)
    batches = defaultdict(list)
    for each in WRITTEN["costs"]:
        batches[each.table.removesuffix("_v1")].append(each.rows)
    return {table: pa.Table.from_batches(parts) for table, parts in batches.items()}


def logical_bytes(column: pa.ChunkedArray) -> float:
    """As BigQuery counts: texts and bytes two more than they have, numbers and times 8, flags 1, nulls nothing, lists by element."""
    if pa.types.is_list(column.type):
        return logical_bytes(pc.list_flatten(column))
    there = len(column) - column.null_count
    if pa.types.is_string(column.type) or pa.types.is_binary(column.type):
        return 2.0 * there + float(pc.sum(pc.binary_length(column)).as_py() or 0)
    return float(there * (1 if pa.types.is_boolean(column.type) else 8))


def test_rows_take_as_many_bytes_as_is_said(written: dict[str, pa.Table]) -> None:
    sizes = {table: sum(map(logical_bytes, rows.columns)) / rows.num_rows for table, rows in written.items()}
    assert sizes.keys() == STORED_BYTES.keys()
    assert {table: size for table, size in sizes.items() if not size <= STORED_BYTES[table] <= 1.15 * size} == {}


def test_as_many_rows_come_as_is_said(written: dict[str, pa.Table]) -> None:
    """Of rollups a run over all that came writes each hour once, and a stream with each of its batches."""
    counted = {table: rows.num_rows * (MONTH / SPAN) for table, rows in written.items()}
    expected = rows(FLEET, month(FLEET))
    assert [counted[table] for table in ("summaries", "batches")] == pytest.approx([expected["summaries"], expected["batches"]], rel=0.1)
    assert counted["site_windows"] == pytest.approx(HOURS * FLEET.channels * 61, rel=0.01)
    assert expected["site_windows"] == pytest.approx(HOURS * FLEET.channels * (60 + 5), rel=0.01)


@pytest.mark.parametrize("devices", [1, 20, 60])
def test_what_is_sent_grows_with_the_fleet_and_shrinks_with_rarer_batches(devices: int) -> None:
    often, seldom = (month(replace(FLEET, devices=devices, batch=timedelta(minutes=minutes))) for minutes in (1, 15))
    assert often.summaries == seldom.summaries == pytest.approx(devices * 2 * MONTH / timedelta(minutes=1))
    assert often.requests > 10 * seldom.requests
    assert often.message_bytes > 2 * seldom.message_bytes
    tenfold = month(replace(FLEET, devices=devices, gateways=10))
    assert (tenfold.message_bytes, tenfold.requests) == pytest.approx((10 * seldom.message_bytes, 10 * seldom.requests), rel=0.01)
