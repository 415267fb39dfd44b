"""The SQL files are as the house writes them, and files that are not are named."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from google.cloud import bigquery

from sql.scripts import ASKING, CREATING, Parameter, Script, ScriptError, in_order, scripts
from sql.verification import columns, grammar, habits

NOW = datetime(2026, 5, 1, tzinfo=UTC)
FILES = list(scripts(*CREATING, *ASKING))
CASES = {path.parent.parent.name for path in Path(__file__).parent.glob("*/*/expect.yaml")}


@pytest.mark.parametrize("script", FILES, ids=lambda script: script.path)
def test_every_file_parses_as_bigquery(script: Script) -> None:
    assert list(grammar([script])) == []


def test_every_file_keeps_the_habits() -> None:
    assert list(habits(FILES)) == []


def test_every_view_function_query_and_check_has_a_case() -> None:
    named = [script.name for script in FILES if script.folder != "tables"]
    assert sorted(set(named)) == sorted(named), "a name stands for one object"
    assert set(named) == CASES


def test_every_object_comes_after_what_it_reads() -> None:
    ordered = in_order(scripts("functions", "views"))
    for at, script in enumerate(ordered):
        assert not script.references & {later.name for later in ordered[at + 1 :]}


def test_a_circle_is_refused() -> None:
    one = Script("views", "one", "create view tinybeam.one as select * from tinybeam.two;")
    two = Script("views", "two", "create view tinybeam.two as select * from tinybeam.one;")
    with pytest.raises(ScriptError, match="circle"):
        in_order([one, two])


@pytest.mark.parametrize(
    ("folder", "text"),
    [
        ("views", "-- What?\ncreate or replace view tinybeam.wrong as select nonesuch from tinybeam.batches_v1;"),
        ("views", "-- What?\ncreate or replace view tinybeam.wrong as select batches.nonesuch from tinybeam.batches as batches;"),
        ("queries", "-- What?\nselect nonesuch from tinybeam.summaries;"),
        ("checks", "-- What?\nselect device_id from tinybeam.no_such_view;"),
    ],
)
def test_a_column_that_does_not_exist_is_found(applied: bigquery.Client, folder: str, text: str) -> None:
    assert [fault.path for fault in columns(applied, [Script(folder, "wrong", text)], NOW)] == [f"sql/{folder}/wrong.sql"]


def test_text_that_is_not_sql_is_found() -> None:
    assert {fault.path for fault in grammar([Script("views", "wrong", "-- What?\nselect from where;")])} == {"sql/views/wrong.sql"}


@pytest.mark.parametrize(
    ("folder", "text", "word"),
    [
        ("views", "create or replace view tinybeam.wrong as select 1 as one;", "question"),
        ("views", "-- What?\ncreate or replace view tinybeam.other as select 1 as one;", "does not create wrong"),
        ("views", "-- What?\ncreate or replace view tinybeam.wrong as select 1 as one", "one statement"),
        ("views", "-- What?\ncreate or replace view tinybeam.wrong as select 1 as one;select 2;", "one statement"),
        ("queries", "-- What?\nselect count from tinybeam.summaries;", "partition"),
        ("queries", "-- What?\n-- @a timestamp = now: when\nselect @a as one from tinybeam.gateways_at(current_timestamp());", "partition"),
        ("queries", "-- What?\n-- @a int64 = 1: unused\nselect 1 as one from tinybeam.devices_v1;", "not used"),
        ("queries", "-- What?\nselect @a as one from tinybeam.devices_v1;", "not declared"),
        ("checks", "-- What?\nselect devices_v1.kind from tinybeam.devices_v1;", "needs an alias"),
        ("queries", "-- What?\n-- @a: bad\nselect @a as one from tinybeam.devices_v1;", "@name type = default"),
    ],
)
def test_a_broken_habit_is_found(folder: str, text: str, word: str) -> None:
    faults = list(habits([Script(folder, "wrong", text)]))
    assert len(faults) == 1
    assert word in faults[0].text


def test_a_parameter_is_read_from_the_header() -> None:
    script = Script("queries", "q", "-- What?\n--\n-- @from_time timestamp = 2026-05-01T12:00:00Z: since when: inclusive\nselect 1;")
    assert script.question == "What?"
    assert script.parameters == (Parameter("from_time", "timestamp", "2026-05-01T12:00:00Z", "since when: inclusive"),)
