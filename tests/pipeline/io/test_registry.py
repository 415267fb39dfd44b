"""The registry of a file and of the warehouse, as a pipeline reads it, and reads it again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from google.cloud import bigquery

from lab.services.stack import Warehouse as Server
from pipeline.io.registry import WAREHOUSE, RefreshedRegistry, of_file, of_warehouse
from pipeline.io.warehouse import Warehouse
from program.settings import ConfigError
from schemas.datasets import Datasets
from schemas.registry import Registry
from sql import registry as analyst
from tests.pipeline.bodies import REGISTRY
from tests.waiting import eventually
from tests.warehouses import client_of

TOML = '[[sites]]\nsite_id = "north"\nname = "North"\n[[devices]]\ndevice_id = "d1"\nkind = "soil"\nsite_id = "north"\n'
NOWHERE = Warehouse("p", Datasets(), "http://127.0.0.1:1")


@pytest.fixture
def tables(tables: Warehouse, warehouse: Server) -> Iterator[tuple[Warehouse, bigquery.Client]]:
    with client_of(warehouse, tables.project) as client:
        analyst.load(client, REGISTRY)
        yield tables, client
        analyst.load(client, Registry((), ()))


def sorted_registry(registry: Registry) -> Registry:
    return Registry(tuple(sorted(registry.sites, key=str)), tuple(sorted(registry.devices, key=str)), registry.rules)


def test_the_registry_of_the_tables_is_what_was_put_there(tables: tuple[Warehouse, bigquery.Client]) -> None:
    assert sorted_registry(of_warehouse(tables[0])) == sorted_registry(REGISTRY)


def test_an_analysts_change_is_taken_and_an_unsound_one_refused_until_it_is_mended(tables: tuple[Warehouse, bigquery.Client]) -> None:
    where, client = tables
    refreshed = RefreshedRegistry(WAREHOUSE, where, 0.05)
    first = refreshed.load()
    assert refreshed.current() is first
    client.query_and_wait("update tinybeam.sites_v1 set name = 'Northern' where site_id = 'north'")
    assert eventually(lambda: {site.name for site in refreshed.current().sites} == {"Northern", "south"})
    client.query_and_wait("update tinybeam.devices_v1 set site_id = 'nowhere' where device_id = 'd2'")
    with pytest.raises(ConfigError, match="devices_v1, row of 'd2': site_id: 'nowhere' is not in"):
        of_warehouse(where)
    client.query_and_wait("update tinybeam.sites_v1 set name = 'Southern' where site_id = 'south'")
    assert {site.name for site in refreshed.current().sites} == {"Northern", "south"}
    client.query_and_wait("update tinybeam.devices_v1 set site_id = 'south' where device_id = 'd2'")
    assert eventually(lambda: {site.name for site in refreshed.current().sites} == {"Northern", "Southern"})


def replaced(file: Path, content: str) -> None:
    """At once, so that nobody reads a half."""
    beside = file.with_suffix(".new")
    beside.write_text(content)
    beside.replace(file)


def test_a_file_is_read_again_and_the_same_content_is_the_same_object(tmp_path: Path) -> None:
    file = tmp_path / "registry.toml"
    file.write_text(TOML)
    refreshed = RefreshedRegistry(str(file), NOWHERE, 0.02)
    first = refreshed.load()
    assert replace(refreshed).current() is first, "a copy that travelled to a worker has the cache of its process"
    replaced(file, TOML + "# the same\n")
    assert refreshed.current() is first
    replaced(file, TOML.replace('"d1"', '"d2"'))
    assert eventually(lambda: refreshed.current().devices[0].device_id == "d2")


def test_a_file_that_is_not_there_or_unsound_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml: cannot be read"):
        of_file(str(tmp_path / "none.toml"))
    (tmp_path / "wrong.toml").write_text("[[sites]]\nsite_id = 3\n")
    with pytest.raises(ConfigError, match=r"wrong\.toml: sites\[1\]"):
        of_file(str(tmp_path / "wrong.toml"))
    (tmp_path / "empty.toml").write_text("\n")
    with pytest.raises(ConfigError, match=r"empty\.toml: is empty"):
        of_file(str(tmp_path / "empty.toml"))


def test_a_warehouse_without_the_tables_says_which(warehouse: Server) -> None:
    with pytest.raises(ConfigError, match=r"registry of no-tables\.tinybeam"):
        of_warehouse(Warehouse("no-tables", Datasets(), warehouse.rest_url))
