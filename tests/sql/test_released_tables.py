"""`tinybeam sql apply` brings the tables of every released version to those of this one, with the rows that are in them."""

from __future__ import annotations

from pathlib import Path

import pytest
from google.cloud import bigquery

from schemas.records import TABLES
from schemas.warehouse import StoredType, differences
from sql import application

RELEASED = sorted((Path(__file__).parent / "released").glob("*.sql"))


@pytest.mark.parametrize("file", RELEASED, ids=lambda file: file.stem)
def test_the_tables_of_a_release_become_those_of_this_version(bare: bigquery.Client, file: Path) -> None:
    bare.query_and_wait("create schema tinybeam")
    for statement in filter(str.strip, file.read_text().split(";\n")):
        bare.query_and_wait(statement)
    bare.query_and_wait(
        "insert into tinybeam.devices_v1 (device_id, kind, site_id, valid_from) values ('d', 'k', 's', timestamp '2026-01-01')"
    )
    for step in application.plan(bare, None):
        if step.action.startswith(("create table", "add column")):
            application.run(bare, step)
    assert [str(difference) for record in TABLES for difference in differences(record, _stored(bare, TABLES[record].name))] == []
    assert [row.device_id for row in bare.query_and_wait("select device_id from tinybeam.devices_v1")] == ["d"]


def _stored(client: bigquery.Client, table: str) -> dict[str, StoredType]:
    fields = client.get_table(f"tinybeam.{table}").schema
    return {field.name: StoredType(field.field_type, field.mode == "REPEATED") for field in fields}
