"""Servers that several rooms' tests share, started once a session and stopped at its end."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from google.cloud import bigquery
from hypothesis import settings

from lab.services.stack import Warehouse
from sql import application
from sql.scripts import scripts
from tests.warehouses import client_of

# A first call imports much, and machines are shared: time is no verdict. A failure prints what repeats it.
settings.register_profile("tinybeam", deadline=None, print_blob=True)
settings.load_profile("tinybeam")


@pytest.fixture(scope="session")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """The local warehouse server, empty. Use a project of your own in it: another project is another, empty warehouse."""
    with Warehouse(tmp_path_factory.mktemp("warehouse"), "demo-project") as running:
        yield running


@pytest.fixture(scope="session")
def applied(warehouse: Warehouse) -> Iterator[bigquery.Client]:
    """A client of a project to which the SQL files are applied. Whoever fills tables empties them first."""
    with client_of(warehouse, "sql-cases") as client:
        for step in application.plan(client, None):
            application.run(client, step)
        yield client


@pytest.fixture
def emptied(applied: bigquery.Client) -> bigquery.Client:
    """A client of that project, whose tables are all empty, whoever filled them before."""
    applied.query_and_wait("".join(f"truncate table tinybeam.{table.name};" for table in scripts("tables")))
    return applied
