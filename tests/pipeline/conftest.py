"""The local warehouse with the tables of the contract, in a project of this room's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.services.stack import Warehouse as Server
from pipeline.io.warehouse import Warehouse, appender
from schemas.datasets import Datasets

PROJECT = "pipeline-tests"


@pytest.fixture(scope="session")
def tables(warehouse: Server) -> Iterator[Warehouse]:
    """Where the tables are; filled by whoever asks, so look for your own gateway only."""
    made = Warehouse(PROJECT, Datasets(), warehouse.rest_url, warehouse.grpc_address)
    with made.client() as client:
        client.create_dataset("tinybeam")
        for path in sorted((Path(__file__).parents[2] / "sql" / "tables").glob("*.sql")):
            client.query_and_wait(path.read_text())
    yield made
    appender(made).close()
