"""Expiry of partitions and labels follow the settings, on tables that are there too; nothing is deleted unasked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner, Result
from google.cloud import bigquery

from lab.services.stack import Warehouse
from sql import application, upkeep
from sql.__main__ import cli
from sql.step import Step
from sql.upkeep import Upkeep
from tests.warehouses import passing_project

NOW = datetime(2026, 11, 27, tzinfo=UTC)
PROJECT = "sql-upkeep"
TABLES = ("devices_v1", "rejects_v1", "events_v1")
WANTED = Upkeep({"rejects_v1": 90, "events_v1": 1095}, {"team": "farm"})


@pytest.fixture
def some(warehouse: Warehouse) -> Iterator[bigquery.Client]:
    """A project with a few of the tables, as a first apply leaves them that sets nothing."""
    with passing_project(warehouse, PROJECT) as client:
        done(client, application.plan(client, None), "create")
        yield client


def of_some(steps: Iterable[Step]) -> list[Step]:
    return [step for step in steps if " dataset " in step.action or any(name in step.action for name in TABLES)]


def done(client: bigquery.Client, steps: Iterable[Step], *verbs: str) -> list[str]:
    """Does those of the steps that are about these tables, and returns what they are."""
    wanted = [step for step in of_some(steps) if step.action.startswith(verbs)]
    for step in wanted:
        application.run(client, step)
    return [step.action for step in wanted]


def days_of(client: bigquery.Client, name: str) -> float | None:
    expiration = client.get_table(f"tinybeam.{name}").time_partitioning.expiration_ms
    return expiration and expiration / 86_400_000


def test_tables_that_are_there_get_expiry_and_labels_once(some: bigquery.Client) -> None:
    table = some.get_table("tinybeam.events_v1")
    table.labels = {"cost-centre": "12"}
    some.update_table(table, ["labels"])
    assert sorted(done(some, upkeep.steps(some, WANTED, NOW), "let", "label")) == [
        "label dataset tinybeam team=farm",
        "label table devices_v1 team=farm",
        "label table events_v1 team=farm",
        "label table rejects_v1 team=farm",
        "let partitions of events_v1 expire after 1095 days, not never",
        "let partitions of rejects_v1 expire after 90 days, not never",
    ]
    assert of_some(upkeep.steps(some, WANTED, NOW)) == [], "a second time nothing differs"
    assert [days_of(some, name) for name in ("rejects_v1", "events_v1")] == [90, 1095]
    events = some.get_table("tinybeam.events_v1")
    assert events.labels == {"cost-centre": "12", "team": "farm"}
    assert (events.time_partitioning.field, events.time_partitioning.type_) == ("event_time", "DAY")
    assert of_some(upkeep.steps(some, Upkeep(), NOW)) == [], "what is not named stays"


def test_only_a_sooner_expiry_deletes_and_says_what(some: bigquery.Client) -> None:
    done(some, upkeep.steps(some, WANTED, NOW), "let")
    changed = {step.action: step.loses for step in upkeep.steps(some, Upkeep({"rejects_v1": 30, "events_v1": 2000}), NOW)}
    sooner, later = "rejects_v1 expire after 30 days, not after 90 days", "events_v1 expire after 2000 days, not after 1095 days"
    assert changed == {
        f"let partitions of {sooner}": "rows of rejects_v1 whose timestamp is before 2026-10-28 are deleted",
        f"let partitions of {later}": "",
    }
    assert done(some, upkeep.steps(some, Upkeep(upkeep.days(["0"])), NOW), "let")
    assert [days_of(some, name) for name in ("rejects_v1", "events_v1")] == [None, None]
    first = next(step for step in upkeep.steps(some, Upkeep({"rejects_v1": 30}), NOW))
    assert first.loses, "what never expired expires now"
    assert [step.loses for step in upkeep.steps(some, Upkeep({"summaries_v1": 30}), NOW)] == [""], "a table to come has no rows"


def test_nobody_is_surprised_by_the_command(some: bigquery.Client, warehouse: Warehouse) -> None:
    def run(*arguments: str, **environment: str) -> Result:
        variables = {"BIGQUERY_EMULATOR_HOST": warehouse.rest_url, "GOOGLE_CLOUD_PROJECT": PROJECT, **environment}
        return CliRunner().invoke(cli, ["apply", *arguments], env=variables)

    shown = run("--dry_run", TINYBEAM_PARTITION_EXPIRATION_DAYS="1095 rejects_v1=90", TINYBEAM_LABELS="team=farm env=prod")
    assert (
        "would let partitions of rejects_v1 expire after 90 days, not never: rows of rejects_v1 whose timestamp is before" in shown.stdout
    )
    assert "would let partitions of summaries_v1 expire after 1095 days\n" in shown.stdout
    assert "would label table devices_v1 env=prod, team=farm\n" in shown.stdout
    refused = run("--partition_expiration_days", "rejects_v1=90")
    assert (refused.exit_code, "say --yes if they may be" in refused.stderr) == (1, True)
    assert {table.table_id for table in some.list_tables("tinybeam")} == set(TABLES), "nothing was done"
    assert days_of(some, "rejects_v1") is None


@pytest.mark.parametrize(
    ("option", "text", "word"),
    [
        ("--partition_expiration_days", "soon", "write DAYS or TABLE=DAYS"),
        ("--partition_expiration_days", "devices_v1=3", "no table 'devices_v1' has partitions"),
        ("--labels", "Team=Farm", "lower-case letters"),
        ("--labels", "team", "write KEY=VALUE"),
    ],
)
def test_what_cannot_be_read_is_explained(option: str, text: str, word: str) -> None:
    refused = CliRunner().invoke(cli, ["apply", "--project", "p", option, text])
    assert (refused.exit_code, word in refused.stderr) == (2, True), refused.stderr


def test_one_table_may_differ_from_all() -> None:
    read = upkeep.days(["rejects_v1=90", "1095"])
    assert (read["rejects_v1"], read["events_v1"], "devices_v1" in read) == (90, 1095, False)
