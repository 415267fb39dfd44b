"""A warehouse that is copied from a template: each project has what the template has, under its own name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from google.cloud import bigquery

from lab.services.stack import StartFailed, Warehouse
from lab.services.template import Template
from sql import application
from tests.warehouses import client_of

STATEMENTS = (
    "create schema d",
    "create table d.t (a int64 not null options (description = 'A number'))",
    "create table function d.above(least int64) as select a from d.t where a > least",
    "create view d.v as select a from d.above(1)",
)


class Fill:
    """Makes a table, a function that reads it and a view of that; counts how often."""

    times = 0

    def __call__(self, client: bigquery.Client) -> None:
        self.times += 1
        for statement in STATEMENTS:
            client.query_and_wait(statement)


@pytest.fixture(scope="module")
def fill() -> Fill:
    return Fill()


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory, fill: Fill) -> Template:
    return Template(tmp_path_factory.mktemp("templates") / "kept", "1", fill)


@pytest.fixture(scope="module")
def copied(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    with Warehouse(template.copy(tmp_path_factory.mktemp("copy"), "one", "the-other")) as warehouse:
        yield warehouse


def test_each_project_reads_its_own_tables(copied: Warehouse) -> None:
    for project, number in (("one", 2), ("the-other", 3)):
        with client_of(copied, project) as client:
            client.query_and_wait(f"insert into d.t values (1), ({number})")
            assert [row.a for row in client.query_and_wait("select a from d.v")] == [number]


def test_each_project_has_descriptions_and_jobs_of_its_own(copied: Warehouse) -> None:
    for project in ("one", "the-other"):
        with client_of(copied, project) as client:
            table = client.get_table("d.t")
            assert (table.project, table.schema[0].description) == (project, "A number")
            assert {routine.project for routine in client.list_routines("d")} == {project}
            assert not [job for job in client.list_jobs() if "create view" in job.query]


def test_a_folder_that_is_taken_is_left_alone_and_named(template: Template, tmp_path: Path) -> None:
    template.copy(tmp_path, "one")
    with pytest.raises(StartFailed, match=r"could not be copied to .*warehouse"):
        template.copy(tmp_path, "one")


def test_it_is_made_once_and_again_for_another_version(copied: Warehouse, template: Template, fill: Fill, tmp_path: Path) -> None:
    template.copy(tmp_path / "second", "one")
    assert fill.times == 1
    replace(template, version="2").copy(tmp_path / "third", "one")
    assert fill.times == 2
    assert sorted(path.name for path in template.folder.iterdir()) == ["2", "lock"]


def test_nothing_is_left_to_apply_to_what_is_copied(sql_project: bigquery.Client, second_sql_project: bigquery.Client) -> None:
    for client in (sql_project, second_sql_project):
        assert application.plan(client, None) == []
