"""What a user tries once in their project, tried against emulators; what a check cannot do is said, and what was made is taken away."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path

import pytest
from click.testing import CliRunner
from drongo.services.pubsub.emulator import PubSubEmulator

from pipeline.dataflow.check import Check, NotTried, findings
from pipeline.io.warehouse import Warehouse
from tests.pipeline.dataflow.google_cloud import GoogleCloud
from tinybeam import main


def test_a_check_that_fails_keeps_no_other_from_being_tried_and_says_what_is_needed() -> None:
    cleaned: list[str] = []

    def denied(made: ExitStack) -> str:
        made.callback(cleaned.append, "denied")
        raise PermissionError("no")

    def untried(made: ExitStack) -> str:
        raise NotTried("there is none")

    def fine(made: ExitStack) -> str:
        made.callback(cleaned.append, "fine")
        return "it works"

    tried = [Check("a", "the role R", denied), Check("b", "", untried), Check("c", "", fine)]
    assert [found.line() for found in findings(tried, str)] == [
        "failed    a: no; needed: the role R",
        "not tried b: there is none",
        "ok        c: it works",
    ]
    assert cleaned == ["denied", "fine"]


def test_what_cannot_be_taken_away_is_said() -> None:
    def stuck(made: ExitStack) -> str:
        made.callback(lambda: 1 / 0)
        return "it works"

    found = [one.line() for one in findings([Check("a", "", stuck)], str)]
    assert found == ["ok        a: it works", "failed    a, clean-up: division by zero"]


@pytest.fixture
def project(cloud: GoogleCloud, tables: Warehouse, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The flags of a project of emulators."""
    emulator = PubSubEmulator()
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", cloud.url)
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", str(tables.endpoint))
    monkeypatch.setenv("BIGQUERY_STORAGE_EMULATOR_HOST", str(tables.storage_endpoint))
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", "")
    monkeypatch.setenv("PUBSUB_PROJECT_ID", "")
    emulator.start()
    return [
        f"--project={tables.project}",
        "--region=europe-west1",
        "--temp_location=gs://my-bucket/tmp",
        f"--dataflow_endpoint={cloud.url}",
    ]


def test_a_project_is_verified_and_nothing_is_left_in_it(project: list[str], cloud: GoogleCloud, tables: Warehouse, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    shown = CliRunner().invoke(main, ["pipeline", "verify-cloud", *project, f"--report={report}"])
    outcomes = {found["name"]: found["outcome"] for found in json.loads(report.read_text())["findings"]}
    assert outcomes == {
        **dict.fromkeys(["Dataflow", "bucket", "publish and pull", "tables", "append and query", "load"], "ok"),
        **dict.fromkeys(["subscription", "partitions"], "not tried"),
    }, shown.output
    assert shown.exit_code == 0
    with tables.client() as client:
        assert [table.table_id for table in client.list_tables("tinybeam") if "verify" in table.table_id] == []
    assert cloud.objects == {}


def test_a_project_that_lacks_something_ends_with_1_and_names_it(project: list[str]) -> None:
    shown = CliRunner().invoke(main, ["pipeline", "verify-cloud", *project[1:], "--project=empty-project"])
    assert shown.exit_code == 1
    assert "failed    tables: " in shown.output
    assert "`tinybeam sql apply" in shown.output
