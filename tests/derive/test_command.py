"""`tinybeam sql recompute` as a user calls it: what it refuses, says and leaves."""

from __future__ import annotations

import pytest
from click.testing import CliRunner
from google.cloud import bigquery

from derive.command import cli
from lab.services.stack import Warehouse
from tests.warehouses import client_of


@pytest.mark.parametrize(
    ("arguments", "word"),
    [(["--to", "2026-05-01"], "--to needs --from"), (["--from", "yesterday"], "no time"), (["--every", "often"], "no duration")],
)
def test_what_does_not_fit_is_refused_by_its_name(arguments: list[str], word: str) -> None:
    result = CliRunner().invoke(cli, ["recompute", "--project", "p", *arguments])
    assert result.exit_code == 2
    assert word in result.output


def test_a_warehouse_without_tables_is_named_with_its_cure(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", warehouse.rest_url)
    with client_of(warehouse, "nothing-here"):
        result = CliRunner().invoke(cli, ["recompute", "--project", "nothing-here"])
    assert result.exit_code == 1
    assert "tinybeam sql apply" in result.output


def test_a_run_says_its_counts_and_leaves_a_record(warehouse: Warehouse, emptied: bigquery.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", warehouse.rest_url)
    result = CliRunner().invoke(cli, ["recompute", "--project", "sql-cases"])
    assert result.exit_code == 0
    assert "looked at 0 hours of sites, 0 site windows, 0 days of fields and 0 rows of alerts changed" in result.output
    [row] = emptied.query_and_wait("select by_marks, site_hours from tinybeam.recomputes_v1")
    assert (row["by_marks"], row["site_hours"]) == (True, 0)
