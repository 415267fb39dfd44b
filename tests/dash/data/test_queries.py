"""The dash's queries are as the house writes SQL, and none can be asked without a viewer."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from google.cloud import bigquery

from dash.data.warehouse import queries
from sql.scripts import Script
from sql.verification import columns, grammar, habits

QUERIES = list(queries().values())
NOW = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.mark.parametrize("script", QUERIES, ids=lambda script: script.name)
def test_every_query_parses_as_bigquery(script: Script) -> None:
    assert list(grammar([script])) == []


def test_every_query_keeps_the_habits() -> None:
    assert list(habits(QUERIES)) == []


def test_every_column_is_there(applied: bigquery.Client) -> None:
    assert list(columns(applied, QUERIES, NOW)) == []


@pytest.mark.parametrize("script", QUERIES, ids=lambda script: script.name)
def test_every_query_asks_for_whom_and_says_of_which_site_a_row_is(script: Script) -> None:
    assert {"sites", "all_sites"} <= script.variables
    assert "site_id" in script.selected
