"""Google's client, for which `tinybeam.` in SQL stands for the datasets of its settings.

It inherits, so that no function between a command and its statement has to carry the names (decision 31).
"""

from __future__ import annotations

from typing import Any

from google.cloud import bigquery
from google.cloud.bigquery.table import RowIterator

from schemas.datasets import Datasets


class WarehouseClient(bigquery.Client):
    """Asks a warehouse whose datasets have names of their own: `WarehouseClient(Datasets("farm"), project="p")`."""

    def __init__(self, datasets: Datasets, **options: Any) -> None:
        super().__init__(**options)
        self.datasets = datasets
        self._read, self._jobs = 0, list[bigquery.QueryJob]()

    def query(self, query: str, *arguments: Any, **options: Any) -> bigquery.QueryJob:
        job = super().query(self.datasets.sql(query), *arguments, **options)
        self._jobs.append(job)
        return job

    def query_and_wait(self, query: str, *arguments: Any, **options: Any) -> RowIterator:
        rows = super().query_and_wait(self.datasets.sql(query), *arguments, **options)
        self._read += rows.total_bytes_processed or 0
        return rows

    def bytes_read(self) -> int:
        """Returns how much the statements read since this was asked for the last time, as the service says; of those that are done."""
        read = self._read + sum(job.total_bytes_processed or 0 for job in self._jobs)
        self._read, self._jobs = 0, []
        return read


def datasets_of(client: bigquery.Client) -> Datasets:
    """Returns the datasets of a client; Google's own has those that the SQL names."""
    return client.datasets if isinstance(client, WarehouseClient) else Datasets()
