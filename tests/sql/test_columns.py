"""sql/columns.toml, from which docs/views.md is made, says what the warehouse says."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from google.cloud import bigquery

from docs.generate import views
from schemas.arrow import table_columns
from schemas.records import Event
from sql.questions import bind
from sql.scripts import Script, scripts

_TYPES = {"INTEGER": "int64", "FLOAT": "float64", "BOOLEAN": "bool", "RECORD": "struct"}


def type_of(field: bigquery.SchemaField) -> str:
    one = _TYPES.get(field.field_type, field.field_type.lower())
    return f"array<{one}>" if field.mode == "REPEATED" else one


def declared(script: Script) -> list[tuple[str, str]]:
    """(name, type), without what is inside of a struct."""
    columns = views.columns()[script.folder][script.name]
    return [(column.name, "array<struct>" if column.type.startswith("array<struct") else column.type) for column in columns]


@pytest.mark.parametrize("script", tuple(scripts("views")), ids=lambda script: script.name)
def test_the_columns_of_a_view_are_those_that_its_page_shows(applied: bigquery.Client, script: Script):
    shown = [(field.name, type_of(field)) for field in applied.get_table(f"tinybeam.{script.name}").schema]
    assert declared(script) == shown


@pytest.mark.parametrize("script", tuple(scripts("queries")), ids=lambda script: script.name)
def test_the_columns_of_a_query_are_those_that_its_page_shows(applied: bigquery.Client, script: Script):
    config = bigquery.QueryJobConfig(query_parameters=bind(script, {}, datetime.now(UTC)))
    answer = applied.query(script.text, job_config=config).result()
    assert declared(script) == [(field.name, type_of(field)) for field in answer.schema]


def test_a_column_of_a_table_means_in_a_view_what_it_means_there():
    script = Script("views", "events", "select\n  *,\n  if(value > 1, 'a, b', '') as size\nfrom tinybeam.events_v1;")
    *of_table, added = views.shown_columns(script, {"from": ["events_v1"], "size": ["string", "", "How large it is"]})
    assert [column.name for column in of_table] == [column.name for column in table_columns(Event)]
    assert (added.name, added.meaning) == ("size", "How large it is")


@pytest.mark.parametrize("name", ["unsaid", "cause"])
def test_a_column_of_which_nothing_is_said_is_refused(name: str):
    script = Script("views", "events", f"select device_id, 1 as {name}\nfrom tinybeam.events_v1;")
    declared = {"from": ["events_v1"], "severe": ["bool", "", "Whether it is severe"]} if name == "cause" else {"from": ["events_v1"]}
    with pytest.raises(KeyError, match="severe" if name == "cause" else "unsaid"):
        views.shown_columns(script, declared)


def test_nothing_is_declared_that_is_not_there():
    assert {folder: set(names) for folder, names in views.columns().items()} == {
        folder: {script.name for script in scripts(folder)} for folder in ("views", "queries")
    }
