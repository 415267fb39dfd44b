"""Appends Arrow rows, at least once: what is transient is retried for ever, loudly; a row that the warehouse refuses for its content is
given back, and the rows beside it are written. A table that lacks a column is no fault of the rows: they wait until it has it.
"""

from __future__ import annotations

import concurrent.futures
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from random import Random
from typing import Any, NamedTuple, Protocol

import grpc
import pyarrow as pa
from google.api_core import exceptions
from google.auth.exceptions import GoogleAuthError
from google.cloud.bigquery_storage_v1.exceptions import StreamClosedError
from requests.exceptions import ConnectionError as NoConnection

from pipeline.elements import RejectedRows, UnwrittenRows
from program import logs
from program.backoff import Backoff

MAX_REQUEST_BYTES = 7_500_000
"""BigQuery takes append requests of under 10 MB, headers and all."""

ANSWER_SECONDS = 60.0

_OF_SCHEMA = "schema mismatch"
"""Of BigQuery's own words, which it still says for some minutes after the column is there."""


class UnfitTable(Exception):
    """The table lacks a column that is written; it may get it."""


TRANSIENT = (
    UnfitTable,
    exceptions.GoogleAPICallError,
    exceptions.RetryError,
    GoogleAuthError,
    NoConnection,
    StreamClosedError,
    grpc.RpcError,
    TimeoutError,
    concurrent.futures.TimeoutError,
)
"""Whatever is not a refusal may pass: an outage, a quota, a permission that somebody is about to give."""

BACKOFF = Backoff(initial_interval=0.5, max_interval=60.0)
"""Between two attempts of one append, and of the check at start."""

_REFUSALS = (exceptions.InvalidArgument, exceptions.OutOfRange)
_LOG = logs.get(__name__)


class AppendFuture(Protocol):
    """Waits for what came of one append: returns, or raises what the warehouse said."""

    def result(self, timeout: float) -> Any: ...


class Connection(Protocol):
    """Connects to one table: `connection.send(rows).result(60.0)`."""

    def send(self, rows: pa.RecordBatch) -> AppendFuture: ...

    def close(self) -> None: ...


class Waiting(NamedTuple):
    """Holds rows that wait to be sent; `doubted` once they were refused as a whole, so a new connection was opened for them."""

    table: str
    rows: pa.RecordBatch
    doubted: bool = False


class Appender:
    """Appends to any table, over one connection per table, from any thread: `appender.append({table: batches})`."""

    def __init__(
        self,
        connect: Callable[[str, pa.Schema], Connection],
        mismatch: Callable[[str], str | None],
        sleep: Callable[[float], None],
        rng: Random,
    ) -> None:
        """`mismatch` says in what a table differs from what is written to it, None if in nothing."""
        self._connect, self._mismatch, self._sleep, self._rng = connect, mismatch, sleep, rng
        self._connections: dict[str, Connection] = {}
        self._lock = threading.Lock()

    def append(self, rows: Mapping[str, Sequence[pa.RecordBatch]]) -> list[UnwrittenRows]:
        """Appends rows; returns when every row of every table is written or given back."""
        waiting = [Waiting(table, piece) for table, batches in rows.items() for piece in pieces(batches)]
        unwritten: list[UnwrittenRows] = []
        pauses = BACKOFF.delays(self._rng)
        while waiting:
            waiting, to_retry = self._round(waiting, unwritten)
            if waiting:
                pause = next(pauses)
                _LOG.warning("%d appends wait; trying again in %.1f s", len(waiting), pause)
                self._sleep(pause)
            waiting += to_retry
        return unwritten

    def close(self) -> None:
        for table in list(self._connections):
            self._forget(table)

    def _round(self, waiting: Sequence[Waiting], unwritten: list[UnwrittenRows]) -> tuple[list[Waiting], list[Waiting]]:
        """Sends everything, then waits once for each answer. Returns what failed, and what is left of refused requests."""
        failed: list[Waiting] = []
        to_retry: list[Waiting] = []
        for sent, future in [(one, self._send(one.table, one.rows)) for one in waiting]:
            try:
                if refusal := self._refusal(sent.table, future):
                    to_retry += self._refused(sent, refusal, unwritten)
            except TRANSIENT as error:
                _LOG.warning("append of %d rows to %s failed: %s", sent.rows.num_rows, sent.table, brief(error))
                self._forget(sent.table)
                failed.append(sent)
        return failed, to_retry

    def _refused(self, sent: Waiting, refusal: exceptions.GoogleAPICallError, unwritten: list[UnwrittenRows]) -> list[Waiting]:
        """Returns what of it is to be sent again; what is refused for good becomes `unwritten`.

        The first refusal, whether it names rows or not, may be about the table as it was then: it may have its column now.
        """
        if not sent.doubted:
            self._forget(sent.table)
            return [sent._replace(doubted=True)]
        remaining, rejected = split_refused(sent.rows, refusal)
        unwritten += [UnwrittenRows(sent.table, piece) for piece in rejected]
        return [sent._replace(rows=piece) for piece in remaining]

    def _refusal(self, table: str, future: AppendFuture) -> exceptions.GoogleAPICallError | None:
        """Returns why the rows were refused for their content, None if they were not. Raises what is TRANSIENT."""
        try:
            future.result(timeout=ANSWER_SECONDS)
        except _REFUSALS as error:
            if _OF_SCHEMA in str(error).lower():
                raise UnfitTable(str(error)) from error
            if difference := self._mismatch(table):
                raise UnfitTable(f"{difference}: run `tinybeam sql apply` of this version") from error
            return error
        return None

    def _send(self, table: str, rows: pa.RecordBatch) -> AppendFuture:
        try:
            return self._connection(table, rows.schema).send(rows)
        except TRANSIENT as error:
            failed: concurrent.futures.Future[None] = concurrent.futures.Future()
            failed.set_exception(error)
            return failed

    def _connection(self, table: str, schema: pa.Schema) -> Connection:
        with self._lock:
            if table not in self._connections:
                self._connections[table] = self._connect(table, schema)
            return self._connections[table]

    def _forget(self, table: str) -> None:
        """Closes a connection; the next append opens a new one."""
        with self._lock:
            connection = self._connections.pop(table, None)
        if connection:
            connection.close()


def pieces(batches: Sequence[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yields the same rows in batches that each fit into one request."""
    if batches:
        for batch in pa.Table.from_batches(batches).combine_chunks().to_batches():
            yield from _halves(batch)


def split_refused(rows: pa.RecordBatch, error: exceptions.GoogleAPICallError) -> tuple[list[pa.RecordBatch], list[RejectedRows]]:
    """Returns (rows to send again, rows refused). An answer that names no row is narrowed down by halves."""
    bad = {fault.index: fault.message for fault in _row_errors(error)}
    if bad:
        rest = rows.filter(pa.array([index not in bad for index in range(rows.num_rows)]))
        rejected = [RejectedRows("warehouse_refused", text, rows.slice(index, 1)) for index, text in sorted(bad.items())]
        return ([rest] if rest.num_rows else []), rejected
    if rows.num_rows == 1:
        return [], [RejectedRows("warehouse_refused", brief(error), rows)]
    middle = rows.num_rows // 2
    return [rows.slice(0, middle), rows.slice(middle)], []


def _row_errors(error: exceptions.GoogleAPICallError) -> Sequence[Any]:
    return getattr(error.response, "row_errors", ())


def brief(error: BaseException) -> str:
    return f"{type(error).__name__}: {str(error)[:300]}"


def _halves(rows: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    if rows.num_rows > 1 and rows.nbytes > MAX_REQUEST_BYTES:
        middle = rows.num_rows // 2
        yield from _halves(rows.slice(0, middle))
        yield from _halves(rows.slice(middle))
    elif rows.num_rows:
        yield rows
