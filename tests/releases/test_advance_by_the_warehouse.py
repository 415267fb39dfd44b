"""`tinybeam release advance` on the local warehouse: what rows of a canary and its control make of a release, and what is kept of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest
from click.testing import CliRunner
from google.cloud import bigquery

from lab.services.stack import Warehouse
from releases import rollouts
from releases.command import cli
from sql.__main__ import cli as sql
from tests.releases.farm_rows import TRIALS, Farm, Trial
from tests.releases.publisher import Publisher

SEED = 20261127
_LIMITS = {"hours": 0.0, "steps": (5, 100), "chance": 0.6, "min_answers": 5, "max_events": 2.0}
"""Few devices, and all are alike: less is chance than in fields."""


@pytest.fixture(scope="module")
def rows(sql_project: bigquery.Client, warehouse: Warehouse) -> Iterator[str]:
    """The health of all trials, asked for once: the rows as JSON, and their file."""
    tables = Farm(datetime.now(UTC), Random(SEED)).rows(TRIALS)
    config = bigquery.LoadJobConfig(write_disposition="WRITE_APPEND")
    for table, found in tables.items():
        sql_project.load_table_from_json(found, f"tinybeam.{table}", job_config=config).result()
    environment = {"BIGQUERY_EMULATOR_HOST": warehouse.rest_url, "GOOGLE_CLOUD_PROJECT": sql_project.project}
    result = CliRunner().invoke(sql, ["query", "releases_side_by_side", "--json"], env=environment)
    assert result.exit_code == 0, result.stderr
    yield result.stdout
    sql_project.query_and_wait("".join(f"truncate table tinybeam.{table};" for table in tables))


def rolled_out(folder: Path, model: str) -> Publisher:
    """A rollout of release 2, on a first step that may end at once."""
    publisher = Publisher(folder, now=datetime.now(UTC))
    for _ in range(2):
        release = publisher.release(model)
    rollouts.begin(publisher.repository, rollouts.new_rollout(publisher.repository, *release, 5, thresholds=_LIMITS), publisher.now)
    return publisher


@pytest.mark.parametrize("trial", TRIALS, ids=lambda trial: trial.name)
def test_a_release_goes_on_waits_or_is_halted(trial: Trial, rows: str, tmp_path: Path) -> None:
    publisher = rolled_out(tmp_path, trial.name)
    words = ["advance", trial.name, "--folder", str(publisher.repository.folder), "--health", "-", "--json"]
    result = CliRunner().invoke(cli, words, input=rows)
    decision = json.loads(result.stdout)
    figures = json.loads(decision["figures"])
    assert decision["action"] == TRIALS[trial], f"seed {SEED}: {decision}"
    assert (decision["control"], result.exit_code) == (1, int(decision["action"] == "halt"))
    expected = "same sites and days" if not trial.apart else "same days, and those before" if trial.before else "same days"
    assert figures["compared_on"] == expected
    assert ("on other sites" in decision["reasons"][0]) == (expected == "same days"), "unadjusted, where it is drier it differs too much"
    rollout = rollouts.existing(publisher.repository, trial.name)
    assert (rollout.halted, rollout.share) == (decision["action"] == "halt", {"advance": 100, "wait": 5, "halt": 0}[decision["action"]])


def test_what_is_decided_is_in_the_warehouse_with_its_figures(
    rows: str, sql_project: bigquery.Client, warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", warehouse.rest_url)
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", sql_project.project)
    publisher = rolled_out(tmp_path, "noisy")
    words = ["advance", "noisy", "--folder", str(publisher.repository.folder), "--warehouse"]
    dry = CliRunner().invoke(cli, [*words, "--dry_run"])
    assert (dry.exit_code, dry.stdout.startswith("halt: ")) == (1, True), dry.stderr
    result = CliRunner().invoke(cli, words)
    assert (result.exit_code, result.stdout) == (1, dry.stdout), result.stderr
    [row] = sql_project.query_and_wait("select * from tinybeam.release_decisions")
    assert (row.model, row.release, row.control, row.action, row.share) == ("noisy", 2, 1, "halt", 0)
    assert f"halt: {row.reasons}\n" == result.stdout
    assert (row.compared_on, row.device_days) == ("same sites and days", 30)
    sql_project.query_and_wait("truncate table tinybeam.release_decisions_v1")


def test_a_warehouse_that_is_not_there_is_said_in_one_line_and_nothing_is_decided(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", "nowhere")
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "p")
    publisher = rolled_out(tmp_path, "soil")
    folder = str(publisher.repository.folder)
    result = CliRunner().invoke(cli, ["advance", "soil", "--folder", folder, "--warehouse"])
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert "the warehouse does not say how releases do: " in result.stderr
    for words in ([], ["--warehouse", "--health", "-"]):
        result = CliRunner().invoke(cli, ["advance", "soil", "--folder", folder, *words])
        assert (result.exit_code, "--health FILE, or --warehouse" in result.stderr) == (2, True)
