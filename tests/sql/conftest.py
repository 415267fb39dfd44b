"""A client of the local warehouse, in a project of a test's own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from google.cloud import bigquery

from lab.services.stack import Warehouse
from tests.warehouses import passing_project


@pytest.fixture
def bare(warehouse: Warehouse, request: pytest.FixtureRequest) -> Iterator[bigquery.Client]:
    """A client of a project that is empty and the test's own."""
    with passing_project(warehouse, f"sql-{abs(hash(request.node.name)) % 10**9}") as client:
        yield client
