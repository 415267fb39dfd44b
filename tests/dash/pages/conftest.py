"""A browser, and pages to look at with it: of a farm that answers at once, and of a local warehouse with one site."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from google.cloud import bigquery

from dash.data.warehouse import Warehouse
from tests.dash.conftest import Served, served, served_by
from tests.dash.data.farm import rows
from tests.dash.farm import FarmWarehouse
from tests.lab import browser
from tests.sql.test_cases import filled

NOW = datetime(2026, 5, 1, 13, tzinfo=UTC)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if browser.installed() is None:
        pytest.skip("chromium is not installed")
    with sync_api.sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=browser.installed(), args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture(scope="module")
def operators(applied: bigquery.Client) -> Iterator[Served]:
    with filled(applied, rows("north"), NOW), served_by(Warehouse(applied, 30.0, lambda: NOW), lambda: NOW) as page:
        yield page


@pytest.fixture
def page_of(farm: FarmWarehouse) -> Iterator[Served]:
    with served(farm) as page:
        yield page
