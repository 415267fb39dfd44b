"""Clients of the local warehouse, in projects of this room's own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from lab.stack import Warehouse
from sql import application


@pytest.fixture(scope="session")
def applied(warehouse: Warehouse) -> Iterator[bigquery.Client]:
    """A client of a project to which the SQL files are applied. Whoever fills tables empties them first."""
    with _client(warehouse, "sql-cases") as client:
        for step in application.plan(client, None):
            application.run(client, step)
        yield client


@pytest.fixture
def bare(warehouse: Warehouse, request: pytest.FixtureRequest) -> Iterator[bigquery.Client]:
    """A client of a project that is empty and the test's own."""
    with _client(warehouse, f"sql-{abs(hash(request.node.name)) % 10**9}") as client:
        yield client


def _client(warehouse: Warehouse, project: str) -> bigquery.Client:
    return bigquery.Client(project=project, credentials=AnonymousCredentials(), client_options={"api_endpoint": warehouse.rest_url})
