"""`tinybeam sql` against the local warehouse: apply is idempotent and additive, the registry is replaced, errors are clear."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from google.cloud import bigquery

from lab.services.child import free_port
from lab.services.stack import Warehouse
from schemas.registry import Registry
from sql import application
from sql.__main__ import cli
from sql.fingerprint import LABEL, record
from sql.scripts import scripts

Command = Callable[..., Result]
REGISTRY = """
[[sites]]
site_id = "north"
name = "North field"
latitude = 52.1
time_zone = "Europe/Amsterdam"
[[devices]]
device_id = "soil-1"
kind = "soil"
site_id = "north"
name = "At the oak"
valid_to = 2030-01-01
[[rules]]
name = "frost"
source = "event"
event = "frost"
opens = ["low"]
"""


@pytest.fixture
def command(warehouse: Warehouse) -> Command:
    def run(*arguments: str, project: str | None = "sql-cases", host: str = warehouse.rest_url) -> Result:
        return CliRunner().invoke(cli, list(arguments), env={"BIGQUERY_EMULATOR_HOST": host, "GOOGLE_CLOUD_PROJECT": project})

    return run


def test_apply_adds_columns_keeps_rows_and_may_be_repeated(bare: bigquery.Client, command: Command) -> None:
    bare.query_and_wait("create schema tinybeam")
    bare.query_and_wait("create table tinybeam.sites_v1 (site_id string not null, name string not null, valid_from timestamp not null)")
    bare.query_and_wait("insert into tinybeam.sites_v1 values ('north', 'North', timestamp '2020-01-01 00:00:00+00')")
    dry = command("apply", "--dry_run", project=bare.project)
    assert "would add column sites_v1.latitude" in dry.stdout
    assert [table.table_id for table in bare.list_tables("tinybeam")] == ["sites_v1"]
    first = command("apply", project=bare.project)
    assert (first.exit_code, "add column sites_v1.latitude" in first.stdout, "create table sites_v1" in first.stdout) == (0, True, False)
    before = _schemas(bare)
    second = command("apply", project=bare.project)
    assert (second.exit_code, second.stdout) == (0, "nothing to do: tables, functions and views are those of these files\n")
    again = command("apply", "--again", "--dry_run", project=bare.project).stdout.splitlines()
    assert all(line.startswith("would replace ") for line in again)
    assert {line.split()[-1] for line in again} == {script.name for script in scripts("functions", "views")}
    assert _schemas(bare) == before
    assert [(row.site_id, row.crop) for row in bare.query_and_wait("select * from tinybeam.sites")] == [("north", None)]


@pytest.mark.parametrize(("kind", "name"), [("view", "sites"), ("table function", "gateways_at"), ("table", "replays_v1")])
def test_what_is_no_longer_there_is_noticed(sql_project: bigquery.Client, kind: str, name: str) -> None:
    sql_project.query_and_wait(f"drop {kind} tinybeam.{name}")
    steps = application.plan(sql_project, None)
    again = f"{'create' if kind == 'table' else 'replace'} {kind.removeprefix('table ')} {name}"
    assert {"replace view summaries", again} <= {step.action for step in steps}
    for step in steps:
        if step.action.endswith(name):
            application.run(sql_project, step)
    assert application.plan(sql_project, None) == []


def test_objects_that_nobody_recorded_are_replaced_and_labels_of_others_stay(sql_project: bigquery.Client) -> None:
    dataset = sql_project.get_dataset("tinybeam")
    recorded = dataset.labels[LABEL]
    dataset.labels = {"team": "farm", LABEL: "of-other-files"}
    sql_project.update_dataset(dataset, ["labels"])
    assert "replace view summaries" in {step.action for step in application.plan(sql_project, None)}
    record(sql_project, recorded)
    assert sql_project.get_dataset("tinybeam").labels == {"team": "farm", LABEL: recorded}
    assert application.plan(sql_project, None) == []


def test_apply_refuses_a_column_of_another_type_before_touching_anything(bare: bigquery.Client, command: Command) -> None:
    bare.query_and_wait("create schema tinybeam")
    bare.query_and_wait("create table tinybeam.sites_v1 (site_id int64)")
    refused = command("apply", project=bare.project)
    assert refused.exit_code == 1
    assert "sites_v1, column site_id is INTEGER there and STRING here" in refused.stderr
    assert [table.table_id for table in bare.list_tables("tinybeam")] == ["sites_v1"]


def test_apply_refuses_a_table_that_lacks_a_required_column(bare: bigquery.Client, command: Command) -> None:
    bare.query_and_wait("create schema tinybeam")
    bare.query_and_wait("create table tinybeam.sites_v1 (site_id string not null)")
    refused = command("apply", project=bare.project)
    assert (refused.exit_code, "lacks column name" in refused.stderr) == (1, True)


def test_the_registry_is_replaced_and_what_changes_is_shown(applied: bigquery.Client, command: Command, tmp_path: Path) -> None:
    file = tmp_path / "registry.toml"
    file.write_text(REGISTRY)
    added = "sites: 1 added (north)\ndevices: 1 added (soil-1)\nrules: 1 added (frost)\n"
    count = "1 devices on 1 sites, 1 rules\n"
    assert (
        command("registry", str(file), "--dry_run").stdout
        == added.replace("sites:", "would be: sites:").replace("\nd", "\nwould be: d").replace("\nr", "\nwould be: r") + count
    )
    assert list(applied.query_and_wait("select * from tinybeam.devices")) == []
    assert command("registry", str(file)).stdout == added + count
    assert command("registry", str(file)).stdout == f"nothing changes\n{count}"
    [site] = applied.query_and_wait("select * from tinybeam.sites")
    assert (site.name, site.latitude, site.crop, site.valid_from.year, site.valid_to) == ("North field", 52.1, None, 1970, None)
    assert site.time_zone == "Europe/Amsterdam"
    [device] = applied.query_and_wait("select * from tinybeam.devices")
    assert (device.device_id, device.name, device.valid_to.year) == ("soil-1", "At the oak", 2030)
    file.write_text("")
    removed = "sites: 1 removed (north)\ndevices: 1 removed (soil-1)\nrules: 1 removed (frost)\n0 devices on 0 sites, 0 rules\n"
    assert command("registry", str(file)).stdout == removed
    assert list(applied.query_and_wait("select * from tinybeam.devices")) == []


def test_the_registry_of_the_tables_is_written_as_the_file_that_it_is(applied: bigquery.Client, command: Command, tmp_path: Path) -> None:
    first, second = tmp_path / "first.toml", tmp_path / "second.toml"
    first.write_text(REGISTRY)
    command("registry", str(first))
    try:
        applied.query_and_wait("update tinybeam.sites_v1 set name = 'Old \\\\ \"north\"', crop = 'Maize' where site_id = 'north'")
        assert command("registry", "--export", str(second)).exit_code == 0
        assert command("registry", str(second)).stdout.startswith("nothing changes")
        [site] = Registry.load(second).sites
        assert (site.name, site.crop, site.latitude) == ('Old \\ "north"', "Maize", 52.1)
        applied.query_and_wait("update tinybeam.sites_v1 set crop = 'Chewing gum' where site_id = 'north'")
        refused = command("registry", "--export", str(second))
        assert (refused.exit_code, "sites_v1, row of 'north': crop must be one of" in refused.stderr) == (1, True), refused.stderr
    finally:
        first.write_text("")
        command("registry", str(first))


def test_a_wrong_registry_changes_nothing(applied: bigquery.Client, command: Command, tmp_path: Path) -> None:
    file = tmp_path / "registry.toml"
    file.write_text("[[sites]]\nsite_id = 3\n")
    refused = command("registry", str(file))
    assert (refused.exit_code, "registry.toml" in refused.stderr) == (1, True)


def test_a_query_answers_as_table_json_and_csv(applied: bigquery.Client, command: Command) -> None:
    assert command("query", "what_happened").stdout.split()[:3] == ["time", "severity", "site"]
    assert json.loads(command("query", "what_happened", "--json", "--param", "from_time=2026-05-01").stdout) == []
    assert command("query", "driest_fields", "--csv").stdout.startswith("field,crop,advice,")


def test_the_questions_are_listed_without_a_warehouse() -> None:
    listed = CliRunner().invoke(cli, ["query"], env={"BIGQUERY_EMULATOR_HOST": None, "GOOGLE_CLOUD_PROJECT": None})
    assert listed.exit_code == 0
    assert "driest_fields: Which fields are driest now" in listed.stdout
    assert "days (int64, default 2)" in listed.stdout


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("query", "driest_field"), "try driest_fields"),
        (("query", "driest_fields", "--param", "day=3"), "no parameter 'day'"),
        (("query", "worst_machines", "--param", "days=few"), "days must be a int64"),
        (("query", "worst_machines", "--param", "days"), "NAME=VALUE"),
        (("query", "driest_fields", "--nonesuch"), "No such option"),
    ],
)
def test_a_wrong_call_is_explained_and_exits_2(applied: bigquery.Client, command: Command, arguments: tuple[str, ...], text: str) -> None:
    called = command(*arguments)
    assert (called.exit_code, text in called.stderr) == (2, True), called.stderr


def test_a_project_without_the_dataset_says_what_to_run(command: Command) -> None:
    asked = command("query", "what_happened", project="sql-nothing")
    assert (asked.exit_code, "tinybeam sql apply" in asked.stderr) == (1, True)


def test_a_local_warehouse_without_a_project_says_so(command: Command) -> None:
    called = command("apply", project=None)
    assert (called.exit_code, "name the project" in called.stderr) == (1, True)


def test_a_warehouse_that_does_not_answer_is_waited_for_aloud_and_not_for_ever(command: Command) -> None:
    called = command("apply", "--wait", "0.2", host=f"http://127.0.0.1:{free_port()}")
    assert called.exit_code == 1
    assert "waiting" in called.stderr
    assert "did not answer within 0.2 s" in called.stderr


def test_check_finds_everything_sound(applied: bigquery.Client, command: Command) -> None:
    checks = [script.name for script in scripts("checks")]  # every file of the other folders is run by the cases
    sound = command("check", *checks, "--param", "from_time=2026-01-01")
    assert (sound.exit_code, sound.stdout.endswith("files are sound\n")) == (0, True), sound.stderr


def test_check_reports_a_violation(applied: bigquery.Client, command: Command) -> None:
    applied.query_and_wait(
        "insert into tinybeam.devices_v1 values ('lost', 'soil', 'nowhere', timestamp '2020-01-01 00:00:00+00', null, null)"
    )
    try:
        result = command("check", "devices_stand_on_known_sites")
    finally:
        applied.query_and_wait("truncate table tinybeam.devices_v1")
    assert result.exit_code == 1
    assert "sql/checks/devices_stand_on_known_sites.sql" in result.stderr
    assert '"device_id": "lost"' in result.stderr


def test_help_teaches_every_command() -> None:
    for name in ("apply", "check", "query", "registry"):
        shown = CliRunner().invoke(cli, [name, "--help"])
        assert (shown.exit_code, len(shown.stdout) > 200) == (0, True)


def _schemas(client: bigquery.Client) -> dict[str, object]:
    tables = {table.table_id: client.get_table(table.reference) for table in client.list_tables("tinybeam")}
    routines = {routine.routine_id: client.get_routine(routine.reference).body for routine in client.list_routines("tinybeam")}
    assert {script.name for script in application.scripts("tables")} <= tables.keys()
    return {name: (table.schema, table.view_query, table.description) for name, table in tables.items()} | routines
