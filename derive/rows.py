"""Appends derived rows to their table, by a load job: free of charge, and all of them or none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from google.cloud import bigquery

from schemas.arrow import table_columns
from schemas.records import TABLES
from sql.client import datasets_of


def append(client: bigquery.Client, record: type, rows: Sequence[Any]) -> None:
    """Appends rows of one record. Raises GoogleAPICallError from the service."""
    names = [column.name for column in table_columns(record)]
    plain = [_plain({name: values[name] for name in names}) for values in map(asdict, rows)]
    config = bigquery.LoadJobConfig(write_disposition="WRITE_APPEND", create_disposition="CREATE_NEVER")
    client.load_table_from_json(plain, datasets_of(client).path(TABLES[record].name), job_config=config).result()


def _plain(value: Any) -> Any:
    """Returns the value as JSON knows it."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else value
