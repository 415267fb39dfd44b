"""Clients of the local warehouse, and projects in it that are left as they were found."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from google.cloud import bigquery

from lab.services.stack import Warehouse
from sql.service import Target, open_client

APPLIED = "sql-cases"
"""The project of the fixture `sql_project`."""
REBUILT = f"{APPLIED}-rebuilt"
"""That of `second_sql_project`."""


def client_of(warehouse: Warehouse, project: str) -> bigquery.Client:
    return open_client(Target(project), warehouse.rest_url)


@contextmanager
def passing_project(warehouse: Warehouse, project: str) -> Iterator[bigquery.Client]:
    """A client of a project that is gone afterwards: each that a server holds makes every statement slower."""
    with client_of(warehouse, project) as client:
        yield client
        for dataset in client.list_datasets():
            client.delete_dataset(dataset.reference, delete_contents=True, not_found_ok=True)


def silent(action: str) -> None:
    """Takes the progress of `sql apply` where nobody looks."""
