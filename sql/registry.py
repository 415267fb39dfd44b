"""Puts the registry into devices_v1 and sites_v1: their former rows are replaced, all of it or nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from google.cloud import bigquery

from schemas.arrow import Column, table_columns
from schemas.records import TABLES, Device, Site
from schemas.registry import Registry
from schemas.warehouse import DATASET


def load(client: bigquery.Client, registry: Registry) -> None:
    """Replaces all rows in one transaction. Raises GoogleAPICallError from the service."""
    content: dict[type, Sequence[Device | Site]] = {Device: registry.devices, Site: registry.sites}
    statements = "".join(_replacement(record) for record in content)
    parameters = [bigquery.ScalarQueryParameter(TABLES[record].name, "STRING", _json(rows)) for record, rows in content.items()]
    client.query_and_wait(
        f"begin transaction;\n{statements}commit transaction;",
        job_config=bigquery.QueryJobConfig(query_parameters=parameters),
    )


def _replacement(record: type) -> str:
    table = TABLES[record].name
    columns = table_columns(record)
    return (
        f"delete from {DATASET}.{table} where true;\n"
        f"insert into {DATASET}.{table} ({', '.join(column.name for column in columns)})\n"
        f"select {', '.join(_read(column) for column in columns)}\n"
        f"from unnest(json_query_array(@{table})) as entry;\n"
    )


def _read(column: Column) -> str:
    return f"cast(json_value(entry, '$.{column.name}') as {column.type}) as {column.name}"


def _json(rows: Sequence[Device | Site]) -> str:
    return json.dumps([asdict(row) for row in rows], default=_time)


def _time(value: Any) -> str:
    if not isinstance(value, datetime):
        raise TypeError(f"{type(value).__name__} is not a column of the registry")
    return value.isoformat()
