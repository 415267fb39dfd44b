"""Both sinks against the local warehouse, through Google's clients: what is written is what was given."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from random import Random
from typing import Any

import apache_beam as beam
import pyarrow as pa
import pytest
from apache_beam.options.pipeline_options import PipelineOptions

from lab.services.stack import Warehouse as Server
from pipeline import flow
from pipeline.elements import ReceivedMessage, wall_clock
from pipeline.facts import facts
from pipeline.io import warehouse
from pipeline.io.sinks import AppendSink, LoadSink
from pipeline.io.warehouse import MissingTables, Warehouse
from pipeline.options import FN_API
from pipeline.rollup.transform import Schedule
from schemas.records import KINDS, TABLES
from schemas.registry import FixedRegistry
from tests.pipeline.bodies import REGISTRY, message, numbered, one_of, summary, with_sites


def select(where: Warehouse, sql: str) -> list[dict[str, Any]]:
    with where.client() as client:
        return [dict(row) for row in client.query_and_wait(sql)]


def run(where: Warehouse, sink: flow.Sink, messages: Iterable[ReceivedMessage]) -> None:
    with beam.Pipeline(options=PipelineOptions([f"--runner={FN_API}"])) as pipeline:
        flow.build(pipeline | beam.Create(list(messages)), FixedRegistry(REGISTRY), sink, Schedule(streaming=False), wall_clock)


def of_all_kinds(gateway_id: str) -> list[ReceivedMessage]:
    return [message([one_of(kind)] * 2, gateway_id=gateway_id, seq=number + 1) for number, kind in enumerate(KINDS)]


@pytest.mark.parametrize("mode", ["appends", "loads"])
def test_every_kind_reaches_its_table(tables: Warehouse, tmp_path: Path, mode: str) -> None:
    sink: flow.Sink = AppendSink(tables) if mode == "appends" else LoadSink(tables, str(tmp_path), "run1")
    run(tables, sink, of_all_kinds(mode))
    for kind in KINDS:
        [row] = select(tables, f"select count(*) as n from tinybeam.{kind}_v1 where gateway_id = '{mode}'")
        assert row["n"] == 2, kind
    assert select(tables, f"select count(*) as n from tinybeam.batches_v1 where gateway_id = '{mode}'") == [{"n": 5}]
    assert not list(tmp_path.rglob("*.parquet"))


@pytest.mark.parametrize("mode", ["appends", "loads"])
def test_what_is_read_back_is_what_was_sent(tables: Warehouse, tmp_path: Path, mode: str) -> None:
    gateway_id = f"{mode}-back"
    sink: flow.Sink = AppendSink(tables) if mode == "appends" else LoadSink(tables, str(tmp_path), "run2")
    sent = message(numbered(20), gateway_id=gateway_id)
    run(tables, sink, [sent])
    expected = facts(with_sites(numbered(20), gateway_id=gateway_id)).rows.to_pylist()
    assert select(tables, f"select * from tinybeam.summaries_v1 where gateway_id = '{gateway_id}' order by `row`") == expected


def test_a_row_that_the_warehouse_refuses_holds_nobody(tables: Warehouse) -> None:
    rows = facts(with_sites(numbered(3), gateway_id="nulls")).rows
    holed = rows.set_column(rows.schema.get_field_index("sum"), rows.schema.field("sum"), pa.array([1.0, None, 1.0]))
    unwritten = warehouse.appender(tables).append({"summaries_v1": [holed]})
    assert [one.rejected.rows.column("row").to_pylist() for one in unwritten] == [[1]]
    assert [row["row"] for row in select(tables, "select `row` from tinybeam.summaries_v1 where gateway_id = 'nulls' order by 1")] == [0, 2]


def test_a_load_of_the_same_name_is_not_done_twice(tables: Warehouse, tmp_path: Path) -> None:
    for _ in range(2):
        run(tables, LoadSink(tables, str(tmp_path), "run3"), [message([summary()], gateway_id="twice")])
    assert select(tables, "select count(*) as n from tinybeam.summaries_v1 where gateway_id = 'twice'") == [{"n": 1}]


def test_a_warehouse_without_tables_says_what_to_run(warehouse: Server) -> None:
    from pipeline.io import warehouse as module

    empty = Warehouse("nothing-here", "tinybeam", warehouse.rest_url, warehouse.grpc_address)
    with pytest.raises(MissingTables, match="tinybeam sql apply --project nothing-here"):
        module.check(empty, [table.name for table in TABLES.values()], Random(1))
