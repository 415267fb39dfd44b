"""`tinybeam certify` on two projects of the local warehouse: equal, then with a value changed, a row dropped, a row more."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from click.testing import CliRunner, Result
from google.cloud import bigquery

from lab.acts.analyst import empty
from lab.services.stack import Warehouse
from sql.certify.command import cli
from sql.certify.relations import RELATIONS
from tests.warehouses import APPLIED, REBUILT

Pair = tuple[bigquery.Client, bigquery.Client]
COLUMNS = "batch_id, `row`, gateway_id, received_time, device_id, event_time, cause, rule, state, value, severity, time_quality"
NAMES = "'gw:1:{seq}', 0, 'gw', timestamp '{received}', 'd1', timestamp '2026-05-0{seq} 12:00:00'"
ROW = f"({NAMES}, 'threshold', 'dry', 'low', {{value}}, 'info', 'synced')"


def insert(client: bigquery.Client, seq: int, *, received: str = "2026-05-09", value: str = "0.1") -> None:
    client.query_and_wait(f"insert into tinybeam.events_v1 ({COLUMNS}) values {ROW.format(seq=seq, received=received, value=value)}")


@pytest.fixture(scope="module")
def applied_pair(sql_project: bigquery.Client, second_sql_project: bigquery.Client) -> Iterator[Pair]:
    for client in (sql_project, second_sql_project):
        empty(client)
    yield sql_project, second_sql_project
    for client in (sql_project, second_sql_project):
        empty(client)


@pytest.fixture
def pair(applied_pair: Pair, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> Pair:
    """Both hold the same four events, received at other times."""
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", warehouse.rest_url)
    for client, received in zip(applied_pair, ("2026-05-10", "2026-05-11"), strict=True):
        client.query_and_wait("truncate table tinybeam.events_v1")
        for seq in (1, 2, 3, 4):
            insert(client, seq, received=received)
    return applied_pair


def certify(*arguments: str) -> Result:
    return CliRunner().invoke(cli, [APPLIED, REBUILT, *arguments])


def test_two_that_hold_the_same_are_certified_with_counts_and_what_was_not_compared(pair: Pair) -> None:
    done = certify()
    assert done.exit_code == 0, done.output
    assert "events_v1        4 rows, equal" in done.output
    assert "events_v1: received_time (when the run received it" in done.output
    assert done.output.splitlines()[-1] == f"0 differences in {len(RELATIONS)} tables and views"


def test_a_changed_value_is_found(pair: Pair) -> None:
    pair[1].query_and_wait("update tinybeam.events_v1 set value = 0.1000000001 where batch_id = 'gw:1:3'")
    done = certify("--only=events_v1")
    assert done.exit_code == 1
    assert "events_v1        4 rows, 1 differ" in done.output
    assert "first: batch_id = 'gw:1:3', row = 0" in done.output
    assert "column value: A has 0.1, B has 0.1000000001" in done.output


def test_a_dropped_row_is_found(pair: Pair) -> None:
    pair[0].query_and_wait("delete from tinybeam.events_v1 where batch_id = 'gw:1:2'")
    done = certify("--only=events_v1")
    assert done.exit_code == 1
    assert "3 and 4 rows, 1 differ" in done.output
    assert "A has none, B has a row" in done.output


def test_a_row_that_is_stored_again_is_no_difference_and_said_and_under_another_name_it_is_one(
    pair: Pair,
) -> None:
    insert(pair[1], 2, received="2026-05-12")
    done = certify("--only=events_v1")
    assert (done.exit_code, "equal (stored repeatedly: 1 in B)" in done.output) == (0, True)
    insert(pair[1], 5)
    assert certify("--only=events_v1").exit_code == 1


def test_json_names_the_first_difference_of_each(pair: Pair) -> None:
    pair[1].query_and_wait("update tinybeam.events_v1 set state = 'high' where batch_id = 'gw:1:1'")
    done = CliRunner().invoke(cli, [APPLIED, REBUILT, "--only=events_v1", "--json"])
    [certificate] = json.loads(done.stdout)
    assert (done.exit_code, certificate["equal"]) == (1, False)
    assert certificate["relations"][0]["first"] == {"key": {"batch_id": "gw:1:1", "row": 0}, "column": "state", "a": "low", "b": "high"}


def test_a_project_without_tables_is_named_with_the_cure(pair: Pair) -> None:
    done = CliRunner().invoke(cli, [APPLIED, "certify-none"])
    assert done.exit_code == 1
    assert "certify-none has no summaries_v1: run `tinybeam sql apply --project certify-none`" in done.output
