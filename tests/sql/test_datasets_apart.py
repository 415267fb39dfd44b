"""Tables and views in datasets apart, under names of the user's, are applied, filled and asked by the same commands, and by the pipeline.

Of the objects only a few are made: those that the registry, rejects and one function need.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from click.testing import CliRunner, Result

from lab.services.stack import Warehouse
from pipeline.io import warehouse as pipelines
from pipeline.io.rejected import RejectTables
from pipeline.io.warehouse import UnfitTables
from schemas.datasets import Datasets
from sql import access, application
from sql.__main__ import cli
from sql.certify.command import _split
from sql.fingerprint import record
from sql.scripts import scripts
from sql.service import Target, open_client
from tests.warehouses import passing_project

APART = Datasets("farm", "farm_views", "tb_")
PROJECT = "sql-datasets-apart"
SCRIPTS = {script.name: script for script in scripts("tables", "functions", "views")}


def needed(*names: str) -> set[str]:
    """These objects, and what they read."""
    read = {other for name in names for other in SCRIPTS[name].references & SCRIPTS.keys()}
    return set(names) if read <= set(names) else needed(*names, *read)


WANTED = needed("sites", "devices", "gateways_v1", "rules", "rejects", "hours_to_recompute")
OF_TABLES = {name for name in WANTED if SCRIPTS[name].folder == "tables"}
REGISTRY = """
[[sites]]
site_id = "north"
name = "North"
[[devices]]
device_id = "soil-1"
kind = "soil"
site_id = "north"
"""


@pytest.fixture(scope="module")
def planned(warehouse: Warehouse) -> Iterator[list[str]]:
    """What was planned and done, in a project whose datasets are apart."""
    with passing_project(warehouse, PROJECT), open_client(Target(PROJECT, "EU", APART), warehouse.rest_url) as client:
        steps = [step for step in application.plan(client, "EU") if step.action.split()[-1] in WANTED or "farm" in step.action]
        for step in steps:
            application.run(client, step)
        record(client, "of-these-files")
        yield [step.action for step in steps]


def command(warehouse: Warehouse, *arguments: str) -> Result:
    environment = {"BIGQUERY_EMULATOR_HOST": warehouse.rest_url, "GOOGLE_CLOUD_PROJECT": PROJECT}
    named = ["--dataset", "farm", "--views_dataset", "farm_views", "--table_prefix", "tb_"]
    return CliRunner().invoke(cli, [*arguments, *named], env=environment)


def test_each_is_where_the_settings_say(planned: list[str], warehouse: Warehouse) -> None:
    assert planned[:2] == ["create dataset farm in EU", "create dataset farm_views in EU"]
    with open_client(Target(PROJECT), warehouse.rest_url) as client:
        assert {dataset.dataset_id for dataset in client.list_datasets()} == {"farm", "farm_views"}
        assert {table.table_id for table in client.list_tables("farm")} == {f"tb_{name}" for name in OF_TABLES}
        views, functions = client.list_tables("farm_views"), client.list_routines("farm_views")
        there = {view.table_id for view in views} | {function.routine_id for function in functions}
        assert there == {f"tb_{name}" for name in WANTED - OF_TABLES}
        assert client.get_dataset("farm_views").labels == {"tinybeam_objects_tb": "of-these-files"}
        assert [client.get_dataset(name).location for name in ("farm", "farm_views")] == ["EU", "EU"]


def test_views_and_functions_are_authorised_to_read_the_tables(planned: list[str], warehouse: Warehouse) -> None:
    assert planned[-1] == "authorise farm_views to read farm"
    with open_client(Target(PROJECT, datasets=APART), warehouse.rest_url) as client:
        before = client.get_dataset("farm").access_entries
        access.authorise(client)
        after = [entry.to_api_repr() for entry in client.get_dataset("farm").access_entries]
        assert after == [entry.to_api_repr() for entry in before], "authorising twice adds nothing"
        assert access.is_authorised(client)
    views = {"dataset": {"projectId": PROJECT, "datasetId": "farm_views"}, "targetTypes": ["VIEWS"]}
    assert [entry["dataset"] for entry in after if "dataset" in entry] == [views]
    routines = {entry["routine"]["routineId"] for entry in after if "routine" in entry}
    assert "tb_hours_to_recompute" in routines
    assert "tb_quantile" not in routines, "it reads no table"
    assert {"projectWriters", "projectOwners"} <= {entry.get("specialGroup") for entry in after}, "what others may do stays"


def test_commands_ask_and_fill_them(planned: list[str], warehouse: Warehouse, tmp_path: Path) -> None:
    file = tmp_path / "registry.toml"
    file.write_text(REGISTRY)
    loaded = command(warehouse, "registry", str(file))
    assert loaded.stdout.startswith("sites: 1 added (north)\ndevices: 1 added (soil-1)"), loaded.stderr
    with open_client(Target(PROJECT, datasets=APART), warehouse.rest_url) as client:
        assert [row.device_id for row in client.query_and_wait("select device_id from tinybeam.devices")] == ["soil-1"]
        hours = "select * from tinybeam.hours_to_recompute(timestamp '2026-01-01', timestamp '2026-01-02', timestamp '2026-01-01', true)"
        assert list(client.query_and_wait(hours)) == []
    checked = command(warehouse, "check", "devices_stand_on_known_sites")
    assert checked.stdout == "1 files are sound\n", checked.stderr


def test_the_pipeline_looks_there_too(planned: list[str], warehouse: Warehouse) -> None:
    where = pipelines.Warehouse(PROJECT, APART, warehouse.rest_url, warehouse.grpc_address)
    missing = r"tinybeam sql apply --project sql-datasets-apart --dataset farm --views_dataset farm_views --table_prefix tb_"
    with pytest.raises(UnfitTables, match=missing) as fault:
        pipelines.check(where, Random())
    assert "devices_v1" not in str(fault.value)
    assert "events_v1" in str(fault.value)
    assert pipelines.mismatch(where, "summaries_v1") is None
    assert where.stream("summaries_v1").endswith("/datasets/farm/tables/tb_summaries_v1/streams/_default")
    assert RejectTables(where).named("x", 1) == []


def test_a_dataset_is_not_moved(planned: list[str], warehouse: Warehouse) -> None:
    moved = command(warehouse, "apply", "--location", "US")
    assert (moved.exit_code, "dataset farm is in EU" in moved.stderr) == (1, True), moved.stderr


@pytest.mark.parametrize(
    ("name", "project", "datasets"),
    [
        ("p", "p", Datasets()),
        ("p.farm", "p", Datasets("farm")),
        ("p.farm.farm_views", "p", Datasets("farm", "farm_views")),
        ("example.com:p", "example.com:p", Datasets()),
        ("example.com:p.farm", "example.com:p", Datasets("farm")),
    ],
)
def test_certify_names_project_and_datasets(name: str, project: str, datasets: Datasets) -> None:
    assert _split(name) == (project, datasets)


@pytest.mark.parametrize("name", ["farm-1", "a.b"])
def test_what_is_no_dataset_is_refused_as_a_wrong_call(name: str) -> None:
    refused = CliRunner().invoke(cli, ["apply", "--project", "p", "--dataset", name])
    assert (refused.exit_code, "--dataset is the name of a dataset" in refused.stderr) == (2, True)
    assert name in refused.stderr
