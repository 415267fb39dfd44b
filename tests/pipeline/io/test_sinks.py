"""All sinks against the local warehouse, through Google's clients: what is written is what was given."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import Any

import apache_beam as beam
import pyarrow as pa
import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from google.cloud import bigquery

from lab.services.stack import Warehouse as Server
from pipeline import flow
from pipeline.elements import ReceivedMessage, wall_clock
from pipeline.facts import facts
from pipeline.io.loads.batch import LoadSink
from pipeline.io.loads.streaming import StreamedLoadSink
from pipeline.io.loads.waiting import Gathering, Size
from pipeline.io.sinks import AppendSink
from pipeline.io.warehouse import UnfitTables, Warehouse, appender, check
from pipeline.options import FN_API
from pipeline.rollup.transform import Schedule
from schemas.datasets import Datasets
from schemas.records import KINDS, TABLES
from schemas.registry import FixedRegistry
from schemas.warehouse import ddl
from tests.pipeline.bodies import REGISTRY, message, numbered, one_of, summary, with_sites
from tests.waiting import eventually


def select(where: Warehouse, sql: str) -> list[dict[str, Any]]:
    with where.client() as client:
        return [dict(row) for row in client.query_and_wait(sql)]


def run(where: Warehouse, sink: flow.Sink, messages: Iterable[ReceivedMessage]) -> None:
    with beam.Pipeline(options=PipelineOptions([f"--runner={FN_API}"])) as pipeline:
        flow.build(pipeline | beam.Create(list(messages)), FixedRegistry(REGISTRY), sink, Schedule(streaming=False), wall_clock)


def of_all_kinds(gateway_id: str) -> list[ReceivedMessage]:
    return [message([one_of(kind)] * 2, gateway_id=gateway_id, seq=number + 1) for number, kind in enumerate(KINDS)]


def sink_of(mode: str, tables: Warehouse, folder: Path) -> flow.Sink:
    if mode == "streamed":
        return StreamedLoadSink(tables, str(folder), Gathering(900, Size()), wall_clock, flow.OF_MESSAGES)
    return AppendSink(tables) if mode == "appends" else LoadSink(tables, str(folder), folder.name)


@pytest.mark.parametrize("mode", ["appends", "loads", "streamed"])
def test_every_kind_reaches_its_table(tables: Warehouse, tmp_path: Path, mode: str) -> None:
    run(tables, sink_of(mode, tables, tmp_path), of_all_kinds(mode))
    for kind in KINDS:
        [row] = select(tables, f"select count(*) as n from tinybeam.{kind}_v1 where gateway_id = '{mode}'")
        assert row["n"] == 2, kind
    assert select(tables, f"select count(*) as n from tinybeam.batches_v1 where gateway_id = '{mode}'") == [{"n": len(KINDS)}]
    assert not list(tmp_path.iterdir()), "what waited for its load is gone, folders and all"


@pytest.mark.parametrize("mode", ["appends", "loads", "streamed"])
def test_what_is_read_back_is_what_was_sent(tables: Warehouse, tmp_path: Path, mode: str) -> None:
    gateway_id = f"{mode}-back"
    sent = message(numbered(20), gateway_id=gateway_id)
    run(tables, sink_of(mode, tables, tmp_path), [sent])
    expected = facts(with_sites(numbered(20), gateway_id=gateway_id)).rows.to_pylist()
    assert select(tables, f"select * from tinybeam.summaries_v1 where gateway_id = '{gateway_id}' order by `row`") == expected


def test_a_row_that_the_warehouse_refuses_holds_nobody(tables: Warehouse) -> None:
    rows = facts(with_sites(numbered(3), gateway_id="nulls")).rows
    holed = rows.set_column(rows.schema.get_field_index("sum"), rows.schema.field("sum"), pa.array([1.0, None, 1.0]))
    unwritten = appender(tables).append({"summaries_v1": [holed]})
    assert [one.rejected.rows.column("row").to_pylist() for one in unwritten] == [[1]]
    assert [row["row"] for row in select(tables, "select `row` from tinybeam.summaries_v1 where gateway_id = 'nulls' order by 1")] == [0, 2]


def test_a_load_of_the_same_name_is_not_done_twice(tables: Warehouse, tmp_path: Path) -> None:
    for _ in range(2):
        run(tables, LoadSink(tables, str(tmp_path), "run3"), [message([summary()], gateway_id="twice")])
    assert select(tables, "select count(*) as n from tinybeam.summaries_v1 where gateway_id = 'twice'") == [{"n": 1}]


def test_a_warehouse_without_tables_says_what_to_run(warehouse: Server) -> None:
    empty = Warehouse("nothing-here", Datasets(), warehouse.rest_url, warehouse.grpc_address)
    with pytest.raises(UnfitTables, match=r"has no alerts_v1, .*tinybeam sql apply --project nothing-here"):
        check(empty, Random(1))


@pytest.fixture
def older(warehouse: Server) -> Iterator[tuple[Warehouse, bigquery.Client]]:
    """A warehouse of an older version: summaries have no sketch yet."""
    where = Warehouse("older", Datasets(), warehouse.rest_url, warehouse.grpc_address)
    with where.client() as client:
        client.create_dataset("tinybeam", exists_ok=True)
        for record in TABLES:
            client.query_and_wait(ddl(record))
        client.query_and_wait("alter table tinybeam.summaries_v1 drop column if exists sketch")
        yield where, client
    appender(where).close()


def test_a_pipeline_that_is_newer_than_its_tables_names_what_they_lack(older: tuple[Warehouse, bigquery.Client]) -> None:
    where, client = older
    with pytest.raises(UnfitTables, match=r"older\.tinybeam summaries_v1 lacks column sketch: run `tinybeam sql apply --project older`"):
        check(where, Random(1))
    client.query_and_wait("alter table tinybeam.summaries_v1 add column sketch array<int64>")
    client.query_and_wait("alter table tinybeam.summaries_v1 add column from_a_newer_version string")
    check(where, Random(1))
    rows = facts(with_sites(numbered(3), gateway_id="newer-table")).rows
    assert appender(where).append({"summaries_v1": [rows]}) == []


def test_rows_wait_loudly_for_a_column_that_is_missing_and_are_written_when_it_is_there(
    older: tuple[Warehouse, bigquery.Client], caplog: pytest.LogCaptureFixture
) -> None:
    where, client = older
    rows = facts(with_sites(numbered(2000), gateway_id="waits")).rows
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(appender(where).append, {"summaries_v1": [rows]})
        assert eventually(lambda: caplog.text.count("summaries_v1 lacks column sketch: run `tinybeam sql apply`") >= 2)
        assert not answer.done()
        client.query_and_wait("alter table tinybeam.summaries_v1 add column sketch array<int64>")
        assert answer.result(timeout=60) == []
    assert select(where, "select count(*) as n from tinybeam.summaries_v1 where gateway_id = 'waits'") == [{"n": 2000}]
