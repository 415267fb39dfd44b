"""Reads the registry from its tables in the warehouse, and puts one there: former rows are replaced, all of it or nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable

from google.cloud import bigquery

from schemas.arrow import Column, table_columns
from schemas.datasets import Datasets
from schemas.records import TABLES
from schemas.registry import Registry
from schemas.registry_changes import changes
from schemas.registry_tables import RECORDS, Entries, entries_of, entries_of_rows, query
from schemas.warehouse import DATASET


def read(client: bigquery.Client) -> Entries:
    """Returns the rows of the four tables as they are at one moment, sound or not. Raises GoogleAPICallError from the service."""
    return entries_of_rows((row.section, row.entry) for row in client.query_and_wait(query(Datasets())))


def load(client: bigquery.Client, registry: Registry, *, dry_run: bool = False) -> list[str]:
    """Replaces all rows in one transaction, and says what changes; nothing is written that is there already."""
    entries = entries_of(registry)
    sentences = list(changes(read(client), entries))
    if sentences and not dry_run:
        _replace(client, entries)
    return sentences


def _replace(client: bigquery.Client, entries: Entries) -> None:
    statements = "".join(_replacement(section) for section in entries)
    parameters = [bigquery.ScalarQueryParameter(section, "STRING", json.dumps(rows)) for section, rows in entries.items()]
    client.query_and_wait(
        f"begin transaction;\n{statements}commit transaction;",
        job_config=bigquery.QueryJobConfig(query_parameters=parameters),
    )


def _replacement(section: str) -> str:
    columns: Iterable[Column] = table_columns(RECORDS[section])
    table = f"{DATASET}.{TABLES[RECORDS[section]].name}"
    return (
        f"delete from {table} where true;\n"
        f"insert into {table} ({', '.join(column.name for column in columns)})\n"
        f"select {', '.join(_read(column) for column in columns)}\n"
        f"from unnest(json_query_array(@{section})) as entry;\n"
    )


def _read(column: Column) -> str:
    value = f"json_value(entry, '$.{column.name}')"
    typed = f"timestamp_micros(cast({value} as int64))" if column.type == "timestamp" else f"cast({value} as {column.type})"
    return f"{typed} as {column.name}"
