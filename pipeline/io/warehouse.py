"""Reaches the warehouse, and nothing else opens a BigQuery client: where it is, the check at start, append connections, Parquet loads."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from random import Random
from typing import Any, BinaryIO

import grpc
import pyarrow as pa
from google.api_core import exceptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery
from google.cloud.bigquery_storage_v1 import BigQueryWriteClient
from google.cloud.bigquery_storage_v1.services.big_query_write.transports import BigQueryWriteGrpcTransport
from requests.exceptions import ConnectionError as NoConnection

from pipeline.io.answers import answered
from pipeline.io.append import ANSWER_SECONDS, TRANSIENT, Appender, brief
from pipeline.io.append_stream import AppendStream
from program import google_credentials, logs
from program.backoff import Backoff
from schemas.datasets import Datasets
from schemas.records import TABLES
from schemas.warehouse import StoredType, differences

LOAD_ATTEMPTS = 5
_PASSING = (exceptions.ServerError, exceptions.TooManyRequests, NoConnection)
"""What a run that ends tries again, so often; a pipeline waits for a quota and a permission, too."""
_BETWEEN_LOADS = Backoff(initial_interval=2.0, max_interval=60.0)

_RECORDS = {table.name: record for record, table in TABLES.items()}
_LOG = logs.get(__name__)


class UnfitTables(Exception):
    """The dataset, tables or columns are not there; the text names them and says what to run."""


@dataclass(frozen=True, slots=True)
class Warehouse:
    """Says where the warehouse is. The endpoints are those of a local server; None is Google."""

    project: str
    datasets: Datasets = field(default_factory=Datasets)
    endpoint: str | None = None
    storage_endpoint: str | None = None

    def client(self) -> bigquery.Client:
        if not self.endpoint:
            return bigquery.Client(project=self.project)
        return bigquery.Client(project=self.project, credentials=AnonymousCredentials(), client_options={"api_endpoint": self.endpoint})

    def write_client(self) -> BigQueryWriteClient:
        client = BigQueryWriteClient(transport=self._transport())
        # Else opening a stream waits for its first answer.
        client.transport.append_rows._prefetch_first_result_ = False  # type: ignore[attr-defined]
        return client

    def _transport(self) -> BigQueryWriteGrpcTransport | None:
        if not self.storage_endpoint:
            return None
        channel = grpc.insecure_channel(self.storage_endpoint, options=[("grpc.max_send_message_length", -1)])
        return BigQueryWriteGrpcTransport(channel=channel)

    @property
    def name(self) -> str:
        return f"{self.project}.{self.datasets.tables}"

    def path(self, table: str) -> str:
        return f"{self.project}.{self.datasets.path(table)}"

    def stream(self, table: str) -> str:
        return default_stream(self.project, *self.datasets.path(table).split("."))


def default_stream(project: str, dataset: str, table: str) -> str:
    """Returns the resource name of the stream that appends to a table."""
    return f"projects/{project}/datasets/{dataset}/tables/{table}/streams/_default"


def endpoints(rest: str | None, storage: str | None) -> tuple[str | None, str | None]:
    """Returns the flags' endpoints, else those of the environment, as Google's clients do."""
    rest = rest or os.environ.get("BIGQUERY_EMULATOR_HOST") or None
    return rest, storage or os.environ.get("BIGQUERY_STORAGE_EMULATOR_HOST") or None


def reach(warehouse: Warehouse, rng: Random) -> None:
    """Returns once the warehouse answers, whatever it holds. Raises ConfigError if it refuses."""
    if not warehouse.endpoint:
        google_credentials.check()
    answered(partial(_answer, warehouse), rng)


def check(warehouse: Warehouse, rng: Random) -> None:
    """Returns once the warehouse answers, has every table, and every column of it. Raises UnfitTables if it lacks one, and ConfigError if
    it refuses.
    """
    reach(warehouse, rng)
    if found := answered(partial(faults, warehouse), rng):
        apply = f"tinybeam sql apply --project {warehouse.project}{warehouse.datasets.flags}"
        raise UnfitTables(f"{warehouse.name} {', '.join(found)}: run `{apply}` of this version")


def mismatch(warehouse: Warehouse, table: str) -> str | None:
    """Says in what a table differs from what we write; None if in nothing. Raises what is TRANSIENT."""
    with warehouse.client() as client:
        return ", ".join(_differences(client, warehouse, table)) or None


def faults(warehouse: Warehouse) -> list[str]:
    """Returns what tables and columns lack. Raises what is TRANSIENT."""
    with warehouse.client() as client:
        there = _tables(client, warehouse)
        missing = sorted(table for table in _RECORDS if warehouse.path(table) not in there)
        found = [f"has no {', '.join(missing)}"] if missing else []
        return found + [text for table in sorted(_RECORDS.keys() - set(missing)) for text in _differences(client, warehouse, table)]


def _differences(client: bigquery.Client, warehouse: Warehouse, table: str) -> Iterator[str]:
    fields = client.get_table(warehouse.path(table), timeout=ANSWER_SECONDS).schema
    present = {field.name: StoredType(field.field_type, field.mode == "REPEATED") for field in fields}
    return (f"{table} {difference}" for difference in differences(_RECORDS[table], present))


def _answer(warehouse: Warehouse) -> None:
    with warehouse.client() as client:
        # Without retries of Google's, which are silent for ten minutes.
        list(client.list_datasets(max_results=1, timeout=10, retry=None))


def _tables(client: bigquery.Client, warehouse: Warehouse) -> set[str]:
    try:
        return {f"{warehouse.name}.{table.table_id}" for table in client.list_tables(warehouse.datasets.tables, timeout=10)}
    except exceptions.NotFound:
        return set()


@cache
def appender(warehouse: Warehouse) -> Appender:
    """Returns the appender of this process: engines call setup and teardown for every bundle, and a connection must outlive bundles."""
    client = warehouse.write_client()

    def connect(table: str, schema: pa.Schema) -> AppendStream:
        return AppendStream(client, warehouse.stream(table), schema)

    return Appender(connect, partial(mismatch, warehouse), time.sleep, Random())


def load(  # noqa: PLR0913 - what a job is made of
    warehouse: Warehouse, table: str, job_id: str, parquet: BinaryIO | Sequence[str], rng: Random, *, for_ever: bool = False
) -> None:
    """Loads a Parquet file, or those of gs:// names, as one job. A job is done once: one whose end was not heard of is looked for by its
    name, and only one that is known to have failed is followed by another. Raises BadRequest for rows that do not fit.
    """
    client, failed = warehouse.client(), 0
    passing = (*_PASSING, *TRANSIENT) if for_ever else _PASSING
    for attempt, pause in enumerate(_BETWEEN_LOADS.delays(rng), 1):
        job = None
        try:
            job = _start_or_find(client, warehouse, table, f"{job_id}_{failed}", parquet)
            job.result()
        except exceptions.BadRequest:
            raise
        except passing as error:
            failed += bool(job and job.error_result)
            if attempt == LOAD_ATTEMPTS and not for_ever:
                raise RuntimeError(f"load into {table} failed {attempt} times; the last job is {job_id}_{failed}") from error
            _LOG.warning("load into %s failed (%s); trying again in %.1f s", table, brief(error), pause)
            time.sleep(pause)
        else:
            return


def load_config() -> bigquery.LoadJobConfig:
    """Says how Parquet files are loaded into a table that is there."""
    config = bigquery.LoadJobConfig(source_format="PARQUET", write_disposition="WRITE_APPEND", create_disposition="CREATE_NEVER")
    config.parquet_options = bigquery.ParquetOptions()
    config.parquet_options.enable_list_inference = True
    return config


def _start_or_find(client: bigquery.Client, warehouse: Warehouse, table: str, job_id: str, parquet: BinaryIO | Sequence[str]) -> Any:
    config, target = load_config(), warehouse.path(table)
    try:
        if isinstance(parquet, Sequence):
            return client.load_table_from_uri(parquet, target, job_id=job_id, job_config=config)
        return client.load_table_from_file(parquet, target, rewind=True, job_id=job_id, job_config=config)
    except exceptions.Conflict:
        # A job is named with its location, unless that is US or EU.
        return client.get_job(job_id, location=client.get_dataset(warehouse.datasets.tables).location)
