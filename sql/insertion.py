"""Appends a few rows to a table by one statement: kept when it returns, and seen by the next query."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from typing import Any

from google.cloud import bigquery

from schemas.arrow import Column, table_columns
from schemas.records import TABLES
from schemas.warehouse import DATASET


def insert(client: bigquery.Client, rows: Iterable[Any]) -> None:
    """Appends rows, all of one record. Raises GoogleAPICallError."""
    given = list(rows)
    if not given:
        return
    record: type = type(given[0])
    columns = table_columns(record)
    names, values = ", ".join(column.name for column in columns), ", ".join(map(_value, columns))
    content = json.dumps([asdict(row) for row in given], default=datetime.isoformat)
    client.query_and_wait(
        f"insert into {DATASET}.{TABLES[record].name} ({names}) select {values} from unnest(json_query_array(@rows)) as entry",
        job_config=bigquery.QueryJobConfig(query_parameters=[bigquery.ScalarQueryParameter("rows", "STRING", content)]),
    )


def _value(column: Column) -> str:
    path = f"entry, '$.{column.name}'"
    if column.repeated:
        return f"array(select cast(item as {column.type}) from unnest(json_value_array({path})) as item with offset as at order by at)"
    return f"cast(json_value({path}) as {column.type})"
