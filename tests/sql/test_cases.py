"""Every folder tests/sql/OBJECT/CASE is a test: input.yaml fills tables, expect.yaml says what OBJECT then answers.

input.yaml: {table: [row, ...]}; columns left out come from defaults.yaml. expect.yaml: {rows: [row, ...]}, and where needed `params`
of a query or check, or `ask`, the select to run (functions; without one, a function that ends with _between is asked for all time). A row
names the columns it is about; times may be `now - 2 hours`.
Rows of queries must come in the order given.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from google.cloud import bigquery

from schemas.arrow import table_columns
from schemas.records import TABLES
from schemas.warehouse import ALL_TIME
from sql.questions import ask, moment
from sql.scripts import Script, scripts

HERE = Path(__file__).parent
CASES = sorted(path.parent for path in HERE.glob("*/*/expect.yaml"))
SCRIPTS = {script.name: script for script in scripts("views", "functions", "queries", "checks")}
DEFAULTS: dict[str, dict[str, Any]] = yaml.safe_load((HERE / "defaults.yaml").read_text())
TIMES = {table.name: {column.name for column in table_columns(record) if column.type == "timestamp"} for record, table in TABLES.items()}


@contextmanager
def filled(client: bigquery.Client, tables: Mapping[str, list[dict[str, Any]]], now: datetime) -> Iterator[None]:
    """The tables hold these rows, and nothing afterwards."""
    try:
        for table, rows in tables.items():
            _fill(client, table, [_timed(DEFAULTS[table] | row, TIMES[table], now) for row in rows])
        yield
    finally:
        client.query_and_wait("".join(f"truncate table tinybeam.{table};" for table in tables) or "select 1")


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}-{case.name}")
def test_case(case: Path, applied: bigquery.Client) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    expected = yaml.safe_load((case / "expect.yaml").read_text())
    script = SCRIPTS[case.parent.name]
    with filled(applied, yaml.safe_load((case / "input.yaml").read_text()) or {}, now):
        answered = [dict(row) for row in _answer(applied, script, expected, now)]
    _compare(answered, expected["rows"], now, ordered=script.folder == "queries")


def _fill(client: bigquery.Client, table: str, rows: list[dict[str, Any]]) -> None:
    config = bigquery.LoadJobConfig(write_disposition="WRITE_APPEND")
    client.load_table_from_json(rows, f"tinybeam.{table}", job_config=config).result()


def _timed(row: Mapping[str, Any], times: set[str], now: datetime) -> dict[str, Any]:
    return {name: _time(value, now).isoformat() if name in times and value is not None else value for name, value in row.items()}


def _time(value: str | datetime, now: datetime) -> datetime:
    return moment(value if isinstance(value, str) else value.isoformat(), now)


def _answer(client: bigquery.Client, script: Script, expected: Mapping[str, Any], now: datetime) -> Any:
    if "ask" in expected:
        return client.query_and_wait(expected["ask"])
    if script.folder == "functions":
        return client.query_and_wait(f"select * from tinybeam.{script.name}({ALL_TIME})")
    if script.folder == "views":
        return client.query_and_wait(f"select * from tinybeam.{script.name}")
    return ask(client, script, {name: str(value) for name, value in expected.get("params", {}).items()}, now)


def _compare(answered: list[dict[str, Any]], expected: list[dict[str, Any]], now: datetime, *, ordered: bool) -> None:
    names = list(expected[0]) if expected else []
    assert all(list(row) == names for row in expected), "name the same columns in every row"
    if not expected:
        assert answered == []
    assert not answered or answered[0].keys() >= set(names), f"the answer has the columns {list(answered[0])}"
    got = [{name: row[name] for name in names} for row in answered]
    wanted = [{name: _wanted(row[name], got[0][name] if got else None, now) for name in names} for row in expected]
    if not ordered:
        got, wanted = sorted(got, key=str), sorted(wanted, key=str)
    assert got == [
        {name: pytest.approx(value, rel=1e-9) if isinstance(value, float) else value for name, value in row.items()} for row in wanted
    ]


def _wanted(value: Any, example: Any, now: datetime) -> Any:
    return _time(value, now) if isinstance(example, datetime) and value is not None else value
