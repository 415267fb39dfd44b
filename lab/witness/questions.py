"""Asks the local warehouse, through the real BigQuery client."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from google.cloud import bigquery


def ask(client: bigquery.Client, sql: str, **values: datetime | str) -> Iterator[bigquery.Row]:
    """Yields the rows; `values` are those of the parameters by their names."""
    parameters = [
        bigquery.ScalarQueryParameter(name, "STRING" if isinstance(value, str) else "TIMESTAMP", value) for name, value in values.items()
    ]
    return iter(client.query_and_wait(sql, job_config=bigquery.QueryJobConfig(query_parameters=parameters)))
