"""`tinybeam rejects replay` against the local warehouse: rows come in once, and a dry run says how many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from click.testing import CliRunner, Result
from google.cloud import bigquery

from lab.services.stack import Warehouse as Server
from pipeline import flow
from pipeline.elements import wall_clock
from pipeline.io.sinks import AppendSink
from pipeline.io.warehouse import Warehouse
from pipeline.options import FN_API
from pipeline.replay.command import cli
from pipeline.rollup.transform import Schedule
from schemas.records import Device
from schemas.registry import FixedRegistry, Registry
from sql import registry as analyst
from tests.pipeline.bodies import ALWAYS, REGISTRY, message, summary

GROWN = replace(REGISTRY, devices=(*REGISTRY.devices, Device("newcomer", "soil", "north", ALWAYS, None)))


@pytest.fixture
def replay(warehouse: Server, tables: Warehouse) -> Callable[..., Result]:
    def run(*arguments: str) -> Result:
        environment = {
            "BIGQUERY_EMULATOR_HOST": warehouse.rest_url,
            "BIGQUERY_STORAGE_EMULATOR_HOST": warehouse.grpc_address,
            "GOOGLE_CLOUD_PROJECT": tables.project,
        }
        return CliRunner().invoke(cli, ["replay", *arguments], env=environment)

    return run


def test_rows_of_a_device_that_is_registered_by_now_come_in_once(replay: Callable[..., Result], tables: Warehouse) -> None:
    sent = [message([summary("newcomer"), summary("d1"), summary("newcomer")], gateway_id="replayed", seq=seq) for seq in (1, 2)]
    with beam.Pipeline(options=PipelineOptions([f"--runner={FN_API}"])) as pipeline:
        flow.build(pipeline | beam.Create(sent), FixedRegistry(REGISTRY), AppendSink(tables), Schedule(streaming=False), wall_clock)
    with tables.client() as client:
        analyst.load(client, GROWN)
        try:
            assert replay("--dry_run").stdout == "4 rows would come in\n"
            assert _facts(client) == Counter({("d1", 1): 2})
            assert [replay("--reason", "unknown_device").stdout for _ in range(2)] == ["4 rows came in\n", "0 rows came in\n"]
            assert _facts(client) == Counter({("d1", 1): 2, ("newcomer", 0): 2, ("newcomer", 2): 2})
        finally:
            analyst.load(client, Registry((), ()))


def _facts(client: bigquery.Client) -> Counter[tuple[str, int]]:
    rows = client.query_and_wait("select device_id, `row` as number from tinybeam.summaries_v1 where gateway_id = 'replayed'")
    return Counter((row.device_id, row.number) for row in rows)
