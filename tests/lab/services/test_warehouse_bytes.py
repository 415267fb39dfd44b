"""How many bytes the local warehouse says that a query read, by BigQuery's sizes of types."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from google.cloud import bigquery

from lab.services.stack import Warehouse
from tests.warehouses import passing_project

TABLE = """
create table d.t (
  time timestamp not null, name string, amount float64, count int64, is_late bool, day date, body bytes, price numeric,
  place geography, ranges array<int64>, names array<string>, pump struct<on_time timestamp, label string>
) partition by timestamp_trunc(time, day) cluster by name
"""
ROWS = """
insert into d.t
select
  timestamp_add(timestamp '2026-11-01 23:59:59.999999+00', interval number * 12 hour), 'äbc', if(number < 2, null, 1.5), number, true,
  date '2026-11-01', b'12345', 1.25, null, [1, 2, 3], ['a', 'bcd'], struct(timestamp '2026-11-01 00:00:00+00' as on_time, 'pump' as label)
from unnest(generate_array(0, 9)) as number
"""
# Ten rows: one of 1 November, two of each day until 5 November, one of 6 November.
SIZES = {
    "count": 10 * 8,
    "amount": 8 * 8,
    "name": 10 * (2 + 4),
    "is_late": 10 * 1,
    "day": 10 * 8,
    "body": 10 * (2 + 5),
    "price": 10 * 16,
    "ranges": 10 * 3 * 8,
    "names": 10 * (2 + 1 + 2 + 3),
    "pump": 10 * (8 + 2 + 4),
    "pump.label": 10 * (2 + 4),
}


@pytest.fixture(scope="module")
def table(warehouse: Warehouse) -> Iterator[bigquery.Client]:
    with passing_project(warehouse, "bytes") as client:
        client.create_dataset("d")
        for statement in (TABLE, ROWS):
            client.query_and_wait(statement)
        yield client


def read(client: bigquery.Client, statement: str, *parameters: bigquery.ScalarQueryParameter) -> int | None:
    config = bigquery.QueryJobConfig(query_parameters=parameters)
    return client.query_and_wait(statement, job_config=config).total_bytes_processed


@pytest.mark.parametrize("column", SIZES)
def test_a_value_counts_by_its_type_and_a_null_not_at_all(table: bigquery.Client, column: str) -> None:
    assert read(table, f"select {column} from d.t") == SIZES[column]


@pytest.mark.parametrize(
    ("condition", "rows"),
    [
        ("time >= '2026-11-03'", 7),
        ("time > '2026-11-02 23:59:59.999999+00'", 7),
        ("time >= '2026-11-03 12:00:00+00' and time < '2026-11-05'", 4),
        ("time >= '2026-11-03' and time <= '2026-11-05'", 6),
        ("time = '2026-11-03 11:59:59.999999+00'", 2),
        ("time < '2026-11-02'", 1),
        ("time >= '2026-12-01'", 0),
        ("time < '2026-11-02' or time >= '2026-11-06'", 10),
        ("time >= timestamp_sub(timestamp '2026-11-06 00:00:00+00', interval 1 day)", 3),
    ],
)
def test_the_days_count_that_a_filter_leaves(table: bigquery.Client, condition: str, rows: int) -> None:
    assert read(table, f"select count from d.t where {condition}") == rows * (8 + 8)


def test_a_parameter_bounds_as_a_literal_does(table: bigquery.Client) -> None:
    begin = bigquery.ScalarQueryParameter("begin", "TIMESTAMP", "2026-11-03T00:00:00Z")
    assert read(table, "select count from d.t where time >= @begin", begin) == 7 * 16


def test_a_column_of_a_filter_alone_counts_whole(table: bigquery.Client) -> None:
    assert read(table, "select count from d.t where name = 'äbc' and amount > 1.25") == SIZES["count"] + SIZES["name"] + SIZES["amount"]


def test_a_column_counts_once_in_all_days_that_are_asked_of_it(table: bigquery.Client) -> None:
    first, last = ("(select sum(count) from d.t where time < '2026-11-03')", "(select max(count) from d.t where time >= '2026-11-06')")
    assert read(table, f"select {first} + {last}") == (3 + 1) * 16
    assert read(table, f"select {first} + {first}") == 3 * 16


def test_a_count_of_rows_reads_no_column(table: bigquery.Client) -> None:
    assert read(table, "select count(*) from d.t") == 0


def test_what_was_added_since_counts_too(table: bigquery.Client) -> None:
    table.query_and_wait("create table d.grows (count int64)")
    for written in (1, 2):
        table.query_and_wait("insert into d.grows select 7 from unnest(generate_array(1, 5))")
        assert read(table, "select sum(count) from d.grows") == written * 5 * 8


def test_a_job_says_the_same_and_a_dry_run_and_a_script_say_nothing(table: bigquery.Client) -> None:
    job = table.query("select count, name from d.t")
    job.result()
    assert job.total_bytes_processed == SIZES["count"] + SIZES["name"]
    assert table.query("select count from d.t", job_config=bigquery.QueryJobConfig(dry_run=True)).total_bytes_processed is None
    script = table.query("declare least int64 default 3; select count from d.t where count > least;")
    script.result()
    assert script.total_bytes_processed is None


def test_a_query_of_what_has_no_size_here_is_answered_without_a_figure(table: bigquery.Client) -> None:
    rows = table.query_and_wait("select place from d.t")
    assert (rows.total_rows, rows.total_bytes_processed) == (10, None)
