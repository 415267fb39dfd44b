"""The warehouse, and nothing else that knows BigQuery: clients, the check at start, Arrow appends, Parquet loads.

Appends are at least once. What is transient is retried for ever, loudly; rows that the warehouse refuses for their content are
given back, and the rows beside them are written. One append connection per process and table.
"""

from __future__ import annotations

import concurrent.futures
import logging
import os
import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, BinaryIO

import grpc
import pyarrow as pa
from google.api_core import exceptions
from google.api_core.future.polling import _OperationNotComplete
from google.api_core.retry import Retry, if_exception_type
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import GoogleAuthError
from google.cloud import bigquery
from google.cloud.bigquery_storage_v1 import BigQueryWriteClient, types
from google.cloud.bigquery_storage_v1.exceptions import StreamClosedError
from google.cloud.bigquery_storage_v1.services.big_query_write.transports import BigQueryWriteGrpcTransport
from google.cloud.bigquery_storage_v1.writer import AppendRowsStream
from requests.exceptions import ConnectionError as NoConnection

from pipeline.elements import Refused, Unwritten

MAX_REQUEST_BYTES = 7_500_000
"""BigQuery takes append requests of under 10 MB, headers and all."""

ANSWER_SECONDS = 60.0
LOAD_ATTEMPTS = 5

_LOG = logging.getLogger("tinybeam.warehouse")
_REFUSALS = (exceptions.InvalidArgument, exceptions.OutOfRange)
_TRANSIENT = (exceptions.GoogleAPICallError, exceptions.RetryError, GoogleAuthError, NoConnection, StreamClosedError, TimeoutError, grpc.RpcError)
_FAST = Retry(if_exception_type(_OperationNotComplete), initial=0.002, maximum=0.05, multiplier=1.5, timeout=ANSWER_SECONDS)


class MissingTables(Exception):
    """The dataset or tables are not there; the text says what to run."""


@dataclass(frozen=True, slots=True)
class Warehouse:
    """Where the warehouse is. The endpoints are those of a local server; None is Google."""

    project: str
    dataset: str
    endpoint: str | None = None
    storage_endpoint: str | None = None

    def client(self) -> bigquery.Client:
        if not self.endpoint:
            return bigquery.Client(project=self.project)
        return bigquery.Client(project=self.project, credentials=AnonymousCredentials(), client_options={"api_endpoint": self.endpoint})

    def write_client(self) -> BigQueryWriteClient:
        if not self.storage_endpoint:
            return BigQueryWriteClient()
        channel = grpc.insecure_channel(self.storage_endpoint, options=[("grpc.max_send_message_length", -1)])
        return BigQueryWriteClient(transport=BigQueryWriteGrpcTransport(channel=channel))

    def table_path(self, table: str) -> str:
        return f"projects/{self.project}/datasets/{self.dataset}/tables/{table}"


def check(warehouse: Warehouse, tables: Iterable[str]) -> None:
    """Returns when the warehouse answers. Raises MissingTables if it lacks the dataset or a table."""
    client = warehouse.client()
    for delay in _delays():
        try:
            present = {table.table_id for table in client.list_tables(warehouse.dataset, timeout=10)}
            break
        except exceptions.NotFound:
            present = set()
            break
        except _TRANSIENT as error:
            _say_and_sleep(f"the warehouse does not answer ({_brief(error)})", delay)
    if missing := sorted(set(tables) - present):
        raise MissingTables(f"dataset {warehouse.project}.{warehouse.dataset} has no {', '.join(missing)}: run `tinybeam sql apply --project {warehouse.project}`")


def append(warehouse: Warehouse, rows: Mapping[str, Sequence[pa.RecordBatch]]) -> list[Unwritten]:
    """Returns when every row of every table is written or given back."""
    waiting = [(table, piece) for table, batches in rows.items() for piece in pieces(batches)]
    unwritten: list[Unwritten] = []
    for delay in _delays():
        waiting = list(_one_round(warehouse, waiting, unwritten))
        if not waiting:
            return unwritten
        _say_and_sleep(f"{len(waiting)} appends wait", delay)
    raise AssertionError("the delays never end")


def pieces(batches: Sequence[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The same rows in batches that each fit into one request."""
    if not batches:
        return
    whole = pa.Table.from_batches(batches).combine_chunks()
    for batch in whole.to_batches():
        yield from _halves(batch)


def load(warehouse: Warehouse, table: str, job_id: str, parquet: BinaryIO | Sequence[str]) -> None:
    """Loads a Parquet file, or those of gs:// names, as one job; a job of this name that was already done is not done again."""
    client = warehouse.client()
    for attempt in range(LOAD_ATTEMPTS):
        try:
            _start_or_find(client, warehouse, table, f"{job_id}_{attempt}", parquet).result()
        except (exceptions.ServerError, exceptions.TooManyRequests, NoConnection) as error:
            _say_and_sleep(f"load into {table} failed ({_brief(error)})", min(60.0, 2.0**attempt))
        else:
            return
    raise RuntimeError(f"load into {table} failed {LOAD_ATTEMPTS} times; the last job is {job_id}_{LOAD_ATTEMPTS - 1}")


def _start_or_find(client: bigquery.Client, warehouse: Warehouse, table: str, job_id: str, parquet: BinaryIO | Sequence[str]) -> Any:
    config = bigquery.LoadJobConfig(source_format="PARQUET", write_disposition="WRITE_APPEND", create_disposition="CREATE_NEVER")
    config.parquet_options = bigquery.ParquetOptions()
    config.parquet_options.enable_list_inference = True
    target = f"{warehouse.project}.{warehouse.dataset}.{table}"
    try:
        if isinstance(parquet, Sequence):
            return client.load_table_from_uri(parquet, target, job_id=job_id, job_config=config)
        return client.load_table_from_file(parquet, target, rewind=True, job_id=job_id, job_config=config)
    except exceptions.Conflict:
        return client.get_job(job_id)


class _Connection:
    """The process's one append connection to one table. Made anew when it broke."""

    def __init__(self, client: BigQueryWriteClient, path: str, schema: pa.Schema) -> None:
        self._stream = f"{path}/streams/_default"
        first = types.AppendRowsRequest(write_stream=self._stream, trace_id="tinybeam")
        first.arrow_rows.writer_schema.serialized_schema = schema.serialize().to_pybytes()
        self._rows = AppendRowsStream(client, first)
        self._lock = threading.Lock()

    def send(self, rows: pa.RecordBatch) -> Any:
        request = types.AppendRowsRequest(write_stream=self._stream)
        request.arrow_rows.rows.serialized_record_batch = rows.serialize().to_pybytes()
        with self._lock:
            return self._rows.send(request)

    def close(self) -> None:
        with self._lock:
            if self._rows.is_active:
                self._rows.close()


_connections: dict[tuple[Warehouse, str], _Connection] = {}
_connections_lock = threading.Lock()


@cache
def _write_client(warehouse: Warehouse) -> BigQueryWriteClient:
    return warehouse.write_client()


def _connection(warehouse: Warehouse, table: str, schema: pa.Schema) -> _Connection:
    with _connections_lock:
        if (warehouse, table) not in _connections:
            _connections[warehouse, table] = _Connection(_write_client(warehouse), warehouse.table_path(table), schema)
        return _connections[warehouse, table]


def _forget(warehouse: Warehouse, table: str) -> None:
    """The next append opens a new connection."""
    with _connections_lock:
        connection = _connections.pop((warehouse, table), None)
    if connection:
        connection.close()


def close() -> None:
    """Closes the connections of this process, and their threads."""
    for warehouse, table in list(_connections):
        _forget(warehouse, table)


Waiting = tuple[str, pa.RecordBatch]


def _one_round(warehouse: Warehouse, waiting: Sequence[Waiting], unwritten: list[Unwritten]) -> Iterator[Waiting]:
    """Sends everything, then waits once for each answer; gives what must be sent again."""
    sent = [(table, rows, _send(warehouse, table, rows)) for table, rows in waiting]
    for table, rows, future in sent:
        try:
            future.result(timeout=ANSWER_SECONDS, polling=_FAST)
        except _REFUSALS as error:
            again, refused = _parted(rows, error)
            unwritten += [Unwritten(table, one) for one in refused]
            yield from ((table, one) for one in again)
        except (*_TRANSIENT, concurrent.futures.TimeoutError) as error:
            _LOG.warning("append of %d rows to %s failed and is retried: %s", rows.num_rows, table, _brief(error))
            _forget(warehouse, table)
            yield table, rows


def _send(warehouse: Warehouse, table: str, rows: pa.RecordBatch) -> Any:
    try:
        return _connection(warehouse, table, rows.schema).send(rows)
    except _TRANSIENT as error:
        _forget(warehouse, table)
        return _Failed(error)


@dataclass(frozen=True, slots=True)
class _Failed:
    """A future of something that could not even be sent."""

    error: Exception

    def result(self, timeout: float, polling: Retry) -> None:
        raise self.error


def _parted(rows: pa.RecordBatch, error: exceptions.GoogleAPICallError) -> tuple[list[pa.RecordBatch], list[Refused]]:
    """(rows to send again, rows refused). An answer that names no row is narrowed down by halves."""
    bad = {one.index: one.message for one in getattr(error.response, "row_errors", ())}
    if bad:
        good = pa.array([index not in bad for index in range(rows.num_rows)])
        rest = rows.filter(good)
        refused = [Refused("warehouse_refused", text, rows.slice(index, 1)) for index, text in sorted(bad.items())]
        return ([rest] if rest.num_rows else []), refused
    if rows.num_rows == 1:
        return [], [Refused("warehouse_refused", _brief(error), rows)]
    middle = rows.num_rows // 2
    return [rows.slice(0, middle), rows.slice(middle)], []


def _halves(rows: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    if rows.num_rows > 1 and rows.nbytes > MAX_REQUEST_BYTES:
        middle = rows.num_rows // 2
        yield from _halves(rows.slice(0, middle))
        yield from _halves(rows.slice(middle))
    elif rows.num_rows:
        yield rows


def _delays(random_between: Callable[[float, float], float] = random.uniform) -> Iterator[float]:
    """Seconds to wait before each retry: full jitter under a bound that doubles to a minute. Never ends."""
    bound = 0.25
    while True:
        yield random_between(0.0, bound)
        bound = min(60.0, bound * 2)


def _say_and_sleep(what: str, seconds: float) -> None:
    _LOG.warning("%s; trying again in %.1f s", what, seconds)
    time.sleep(seconds)


def _brief(error: BaseException) -> str:
    return f"{type(error).__name__}: {str(error)[:300]}"


def endpoints(rest: str | None, storage: str | None) -> tuple[str | None, str | None]:
    """What was given, else what the environment says, as Google's clients do."""
    rest = rest or os.environ.get("BIGQUERY_EMULATOR_HOST") or None
    return rest, storage or os.environ.get("BIGQUERY_STORAGE_EMULATOR_HOST") or None
