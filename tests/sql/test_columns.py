"""sql/columns.toml, of which pages and the service's descriptions are made, says what the warehouse says."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from google.cloud import bigquery

from docs.generate import views
from schemas.arrow import table_columns
from schemas.records import Event
from sql.columns import Shown, columns, shown_columns
from sql.descriptions import describe
from sql.questions import bind
from sql.scripts import Script, scripts

_TYPES = {"INTEGER": "int64", "FLOAT": "float64", "BOOLEAN": "bool", "RECORD": "struct"}


def type_of(field: bigquery.SchemaField) -> str:
    one = _TYPES.get(field.field_type, field.field_type.lower())
    return f"array<{one}>" if field.mode == "REPEATED" else one


def declared(script: Script) -> list[tuple[str, str]]:
    """(name, type), without what is inside of a struct."""
    shown = columns()[script.folder][script.name]
    return [(column.name, "array<struct>" if column.type.startswith("array<struct") else column.type) for column in shown]


@pytest.mark.parametrize("script", tuple(scripts("views")), ids=lambda script: script.name)
def test_the_columns_of_a_view_are_those_that_its_page_shows(applied: bigquery.Client, script: Script):
    fields = applied.get_table(f"tinybeam.{script.name}").schema
    assert declared(script) == [(field.name, type_of(field)) for field in fields]
    meant = [column.description for column in columns()["views"][script.name]]
    assert [field.description for field in fields] == ([None] * len(meant) if script.is_materialized else meant)


@pytest.mark.parametrize("script", tuple(scripts("views")), ids=lambda script: script.name)
def test_the_example_of_a_view_is_sound(applied: bigquery.Client, script: Script):
    applied.query(views.example_of_view(script), job_config=bigquery.QueryJobConfig(dry_run=True, use_query_cache=False))


def test_columns_are_described_by_their_names_whatever_their_order(bare: bigquery.Client):
    bare.create_dataset("tinybeam")
    bare.query_and_wait("create view tinybeam.sites as select 1 as extra, 'n' as name, 's' as site_id")
    describe(bare, "sites")
    meant = {column.name: column.description for column in columns()["views"]["sites"]}
    shown = {field.name: field.description for field in bare.get_table("tinybeam.sites").schema}
    assert shown == {"extra": None, "name": meant["name"], "site_id": meant["site_id"]}


def test_a_unit_is_part_of_the_description():
    assert [Shown("a", "int64", unit, "How far").description for unit in ("m", "")] == ["How far [m]", "How far"]


@pytest.mark.parametrize("script", tuple(scripts("queries")), ids=lambda script: script.name)
def test_the_columns_of_a_query_are_those_that_its_page_shows(applied: bigquery.Client, script: Script):
    config = bigquery.QueryJobConfig(query_parameters=bind(script, {}, datetime.now(UTC)))
    answer = applied.query(script.text, job_config=config).result()
    assert declared(script) == [(field.name, type_of(field)) for field in answer.schema]


def test_a_column_of_a_table_means_in_a_view_what_it_means_there():
    script = Script("views", "events", "select\n  *,\n  if(value > 1, 'a, b', '') as size\nfrom tinybeam.events_v1;")
    *of_table, added = shown_columns(script, {"from": ["events_v1"], "size": ["string", "", "How large it is"]})
    assert [column.name for column in of_table] == [column.name for column in table_columns(Event)]
    assert (added.name, added.meaning) == ("size", "How large it is")


@pytest.mark.parametrize("name", ["unsaid", "cause"])
def test_a_column_of_which_nothing_is_said_is_refused(name: str):
    script = Script("views", "events", f"select device_id, 1 as {name}\nfrom tinybeam.events_v1;")
    declared = {"from": ["events_v1"], "severe": ["bool", "", "Whether it is severe"]} if name == "cause" else {"from": ["events_v1"]}
    with pytest.raises(KeyError, match="severe" if name == "cause" else "unsaid"):
        shown_columns(script, declared)


def test_nothing_is_declared_that_is_not_there():
    assert {folder: set(names) for folder, names in columns().items()} == {
        folder: {script.name for script in scripts(folder)} for folder in ("views", "queries")
    }
