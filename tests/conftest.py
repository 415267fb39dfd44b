"""Servers that several rooms' tests share, started once a session and stopped at its end, and what they say their attacks by."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from google.cloud import bigquery
from hypothesis import settings

from lab.acts.analyst import empty
from lab.services.stack import Warehouse
from lab.services.template import from_template
from tests.attack import Attack, mark
from tests.warehouses import APPLIED, REBUILT, client_of

# A first call imports much, and machines are shared: time is no verdict. A failure prints what repeats it.
settings.register_profile("tinybeam", deadline=None, print_blob=True)
settings.load_profile("tinybeam")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    mark(items)


@pytest.fixture
def attack(request: pytest.FixtureRequest) -> Attack:
    """What a test says its attacks by."""
    return Attack(request.node.nodeid)


@pytest.fixture(scope="session")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """The local warehouse server, with the projects of the fixtures below. Another project is another, empty warehouse."""
    with Warehouse(from_template(tmp_path_factory.mktemp("warehouse"), APPLIED, REBUILT), APPLIED) as running:
        yield running


@pytest.fixture(scope="session")
def sql_project(warehouse: Warehouse) -> Iterator[bigquery.Client]:
    """A client of the warehouse's own project, which has what the SQL files make. It may hold what other tests left."""
    with client_of(warehouse, APPLIED) as client:
        yield client


@pytest.fixture(scope="session")
def second_sql_project(warehouse: Warehouse) -> Iterator[bigquery.Client]:
    """A client of another such project, for what compares two."""
    with client_of(warehouse, REBUILT) as client:
        yield client


@pytest.fixture(scope="module")
def applied(sql_project: bigquery.Client) -> bigquery.Client:
    """A client of that project, whose tables are empty when a module begins. Whoever fills tables empties them afterwards."""
    empty(sql_project)
    return sql_project


@pytest.fixture
def emptied(sql_project: bigquery.Client) -> bigquery.Client:
    """A client of that project, whose tables are empty when a test begins, whoever filled them before."""
    empty(sql_project)
    return sql_project
