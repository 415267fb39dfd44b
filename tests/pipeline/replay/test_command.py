"""`tinybeam rejects replay` against the local warehouse: rows come in once, and a dry run says how many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

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
from schemas.envelope import Envelope
from schemas.message import folded
from schemas.records import Device
from schemas.registry import FixedRegistry, Registry
from schemas.registry_toml import toml
from sql import registry as analyst
from tests.pipeline.bodies import ALWAYS, REGISTRY, message, summary

ROOT = Path(__file__).parents[3]
GROWN = replace(REGISTRY, devices=(*REGISTRY.devices, Device("newcomer", "soil", "north", ALWAYS, None)))


@pytest.fixture
def command(warehouse: Server, tables: Warehouse) -> Callable[..., Result]:
    with tables.client() as client:
        client.query_and_wait("delete from tinybeam.rejects_v1 where true")  # those of other tests
        for name in ("functions/rejects_between.sql", "views/rejects.sql"):
            client.query_and_wait((ROOT / "sql" / name).read_text())

    def run(*arguments: str) -> Result:
        environment = {
            "BIGQUERY_EMULATOR_HOST": warehouse.rest_url,
            "BIGQUERY_STORAGE_EMULATOR_HOST": warehouse.grpc_address,
            "GOOGLE_CLOUD_PROJECT": tables.project,
        }
        return CliRunner().invoke(cli, [*arguments], env=environment)

    return run


@pytest.fixture
def replay(command: Callable[..., Result]) -> Callable[..., Result]:
    return lambda *arguments: command("replay", *arguments)


def test_rows_of_a_device_that_is_registered_by_now_come_in_once(replay: Callable[..., Result], tables: Warehouse) -> None:
    sent = [message([summary("newcomer"), summary("d1"), summary("newcomer")], gateway_id="replayed", seq=seq) for seq in (1, 2)]
    with beam.Pipeline(options=PipelineOptions([f"--runner={FN_API}"])) as pipeline:
        flow.build(pipeline | beam.Create(sent), FixedRegistry(REGISTRY), AppendSink(tables), Schedule(streaming=False), wall_clock)
    with tables.client() as client:
        analyst.load(client, GROWN)
        try:
            assert replay("--dry_run").stdout == "2 rejects: 4 rows would come in (4 summaries)\n"
            assert _facts(client) == Counter({("d1", 1): 2})
            first, second = [replay("--reason", "unknown_device").stdout for _ in range(2)]
            assert first.startswith("2 rejects: 4 rows came in (4 summaries)\nrun `tinybeam sql recompute`")
            assert second == "2 rejects: 0 rows came in\n      2 rejects give nothing: came in before\n"
            assert _facts(client) == Counter({("d1", 1): 2, ("newcomer", 0): 2, ("newcomer", 2): 2})
        finally:
            analyst.load(client, Registry((), ()))


UNSIGNED = "--require_signatures=accept"
FIX = """
def transform(message):
    return message.with_attributes(gateway_id="mended")
"""


def test_rejects_are_listed_shown_exported_mended_and_come_in_once(
    command: Callable[..., Result], tables: Warehouse, tmp_path: Path
) -> None:
    (tmp_path / "fix.py").write_text(FIX)
    registry = tmp_path / "registry.toml"
    registry.write_text(toml(REGISTRY))
    mending = ("replay", "--reason", "bad_envelope", "--transform", str(tmp_path / "fix.py"), "--registry", str(registry), UNSIGNED)
    with beam.Pipeline(options=PipelineOptions([f"--runner={FN_API}"])) as pipeline:
        sent = message([summary("d1"), summary("d2")], gateway_id="?")
        flow.build(pipeline | beam.Create([sent]), FixedRegistry(REGISTRY), AppendSink(tables), Schedule(streaming=False), wall_clock)
    listed = command("ls", "--reason", "bad_envelope").stdout
    assert listed.splitlines()[1].split()[:3] == ["pipeline.decode", "bad_envelope", "1"]
    exported = command("export", str(tmp_path / "exported"), "--reason", "bad_envelope").stdout
    assert exported == f"1 rejects are in {tmp_path / 'exported'}\n"
    [path] = (tmp_path / "exported" / "pipeline.decode" / "bad_envelope").glob("*.tbb")
    assert '"device_id": "d2"' in command("show", path.stem[:10]).stdout
    assert "no reject begins with nobody" in command("show", "nobody").output
    assert "give nothing: still bad_envelope" in command("replay", "--reason", "bad_envelope", "--registry", str(registry), UNSIGNED).stdout
    assert command(*mending, "--dry-run").stdout.startswith("1 rejects: 2 rows would come in (2 summaries)\n")
    outputs = [command(*mending).stdout.splitlines()[0] for _ in range(2)]
    assert outputs == ["1 rejects: 2 rows came in (2 summaries)", "1 rejects: 0 rows came in"]
    with tables.client() as client:
        assert [_count(client, table) for table in ("summaries_v1", "batches_v1")] == [2, 1]
    assert "replayed_rows  2" in command("show", path.stem).stdout
    (tmp_path / "wrong.py").write_text("x = ")
    wrong = command("replay", "--transform", str(tmp_path / "wrong.py"))
    assert wrong.exit_code == 1
    assert "wrong.py, line 1: SyntaxError" in wrong.output


def _count(client: bigquery.Client, table: str) -> int:
    [row] = client.query_and_wait(f"select count(*) as n from tinybeam.{table} where gateway_id = 'mended'")
    return row.n


def _facts(client: bigquery.Client) -> Counter[tuple[str, int]]:
    rows = client.query_and_wait("select device_id, `row` as number from tinybeam.summaries_v1 where gateway_id = 'replayed'")
    return Counter((row.device_id, row.number) for row in rows)


def test_what_an_older_pipeline_could_not_unfold_is_shown_and_comes_in_by_replay(
    command: Callable[..., Result], replay: Callable[..., Result], tables: Warehouse, tmp_path: Path
) -> None:
    """Gateways were updated before the pipeline, which sees their messages as the flow does without the source that unfolds them."""
    registry = tmp_path / "registry.toml"
    registry.write_text(toml(REGISTRY))
    whole = message([summary("d1"), summary("d2")], gateway_id="newer")
    attributes, data = folded(Envelope.parse(whole.attributes), whole.body)
    with beam.Pipeline(options=PipelineOptions([f"--runner={FN_API}"])) as pipeline:
        sent = replace(whole, attributes=attributes, body=data)
        flow.build(pipeline | beam.Create([sent]), FixedRegistry(REGISTRY), AppendSink(tables), Schedule(streaming=False), wall_clock)
    command("export", str(tmp_path / "exported"), "--gateway", "newer")
    [path] = (tmp_path / "exported").rglob("*.tbb")
    assert '"device_id": "d2"' in command("show", path.stem).stdout
    replaying = ("--gateway", "newer", "--registry", str(registry), UNSIGNED)
    assert [replay(*replaying).stdout.splitlines()[0] for _ in range(2)] == [
        "1 rejects: 2 rows came in (2 summaries)",
        "1 rejects: 0 rows came in",
    ]
