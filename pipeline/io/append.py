"""Appends Arrow rows, at least once: what is transient is retried for ever, loudly; a row that the warehouse refuses for its content is
given back, and the rows beside it are written. A table that lacks a column is no fault of the rows: they wait until it has it. Rows of
other tables, and what is left of a refused request, do not wait with them.
"""

from __future__ import annotations

import concurrent.futures
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from random import Random
from typing import Any, NamedTuple

import grpc
import pyarrow as pa
from google.api_core import exceptions
from google.auth.exceptions import GoogleAuthError
from requests.exceptions import ConnectionError as NoConnection

from pipeline.elements import RejectedRows, UnwrittenRows
from pipeline.io.append_stream import StreamEnded
from pipeline.io.connections import AppendFuture, Connection, Connections, Link
from pipeline.io.late_appends import LateAppends
from program import logs
from program.backoff import Backoff

MAX_REQUEST_BYTES = 7_500_000
"""BigQuery takes append requests of under 10 MB, headers and all."""

ANSWER_SECONDS = 60.0

_TOO_LARGE = re.compile(r"larger than max|too large|size exceeds|exceeds the maximum")
"""Of words about the size of a request, which may come under the code of quotas."""

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
    StreamEnded,
    grpc.RpcError,
    TimeoutError,
    concurrent.futures.TimeoutError,
)
"""Whatever is not a refusal may pass: an outage, a quota, a permission that somebody is about to give."""

BACKOFF = Backoff(initial_interval=0.5, max_interval=60.0)
"""Between two attempts of one append, and of the check at start."""

_REFUSALS = (exceptions.InvalidArgument, exceptions.OutOfRange)
_LOG = logs.get(__name__)


class Waiting(NamedTuple):
    """Holds rows that wait to be sent; `doubted` once they were refused as a whole, so a new connection was opened for them."""

    table: str
    rows: pa.RecordBatch
    doubted: bool = False


class Sent(NamedTuple):
    """Holds rows that were sent, over which connection, and where their answer comes from; no connection if none could be opened."""

    waiting: Waiting
    link: Link | None
    future: AppendFuture


class Appender:
    """Appends to any table, over one connection per table, from any thread: `appender.append({table: batches})`."""

    def __init__(  # noqa: PLR0913 - what it is put together from
        self,
        connect: Callable[[str, pa.Schema], Connection],
        mismatch: Callable[[str], str | None],
        sleep: Callable[[float], None],
        rng: Random,
        clock: Callable[[], float] = time.monotonic,
        *,
        answer_seconds: float = ANSWER_SECONDS,
    ) -> None:
        """`mismatch` says in what a table differs from what is written to it, None if in nothing."""
        self._connections = Connections(connect)
        self._mismatch, self._sleep, self._rng, self._clock = mismatch, sleep, rng, clock
        self._answer_seconds = answer_seconds

    def append(self, rows: Mapping[str, Sequence[pa.RecordBatch]], on_late: Callable[[str], None] = lambda _: None) -> list[UnwrittenRows]:
        """Appends rows; returns when every row of every table is written or given back. `on_late` hears of a table whose rows wait long."""
        ready = [Waiting(table, piece) for table, batches in rows.items() for piece in pieces(batches)]
        failed: list[Waiting] = []
        unwritten: list[UnwrittenRows] = []
        late, pauses = LateAppends(on_late), BACKOFF.delays(self._rng)
        while ready or failed:
            if not ready:
                self._pause(next(pauses), len(failed))
                ready, failed = failed, []
            failed_now, ready = self._round(ready, unwritten, late)
            failed += failed_now
        return unwritten

    def close(self) -> None:
        self._connections.close()

    def _pause(self, seconds: float, appends: int) -> None:
        _LOG.warning("%d appends wait; trying again in %.1f s", appends, seconds)
        self._sleep(seconds)

    def _round(self, ready: Sequence[Waiting], unwritten: list[UnwrittenRows], late: LateAppends) -> tuple[list[Waiting], list[Waiting]]:
        """Sends everything, then waits once for each answer. Returns what failed, and what is left of refused requests."""
        failed: list[Waiting] = []
        remaining: list[Waiting] = []
        for sent in [self._send(one) for one in ready]:
            table = sent.waiting.table
            try:
                if refusal := self._refusal(table, sent.future):
                    remaining += self._refused(sent, refusal, unwritten)
            except TRANSIENT as error:
                _LOG.warning("append of %d rows to %s failed: %s", sent.waiting.rows.num_rows, table, brief(error))
                self._retire(sent.link)
                late.failed(table, brief(error), self._clock())
                failed.append(sent.waiting)
            finally:
                self._give_back(sent.link)
        return failed, remaining

    def _refused(self, sent: Sent, refusal: exceptions.GoogleAPICallError, unwritten: list[UnwrittenRows]) -> list[Waiting]:
        """Returns what of it is to be sent again; what is refused for good becomes `unwritten`.

        The first refusal, whether it names rows or not, may be about the table as it was then: it may have its column now. One for a
        request's size is about nothing else.
        """
        table, rows, doubted = sent.waiting
        too_large = _is_too_large(refusal)
        if too_large or not doubted:
            self._retire(sent.link)
        if not (too_large or doubted):
            return [Waiting(table, rows, doubted=True)]
        remaining, rejected = split_refused(rows, refusal)
        unwritten += [UnwrittenRows(table, piece) for piece in rejected]
        return [Waiting(table, piece, doubted) for piece in remaining]

    def _refusal(self, table: str, future: AppendFuture) -> exceptions.GoogleAPICallError | None:
        """Returns why the rows were refused for their content or size, None if they were not. Raises what is TRANSIENT."""
        try:
            future.result(timeout=self._answer_seconds)
        except (*_REFUSALS, exceptions.ResourceExhausted) as error:
            if _is_too_large(error):
                return error
            if isinstance(error, exceptions.ResourceExhausted):
                raise
            if _OF_SCHEMA in str(error).lower():
                raise UnfitTable(str(error)) from error
            if difference := self._mismatch(table):
                raise UnfitTable(f"{difference}: run `tinybeam sql apply` of this version") from error
            return error
        return None

    def _send(self, waiting: Waiting) -> Sent:
        link = None
        try:
            link = self._connections.take(waiting.table, waiting.rows.schema)
            return Sent(waiting, link, link.connection.send(waiting.rows))
        except TRANSIENT as error:
            failed: concurrent.futures.Future[None] = concurrent.futures.Future()
            failed.set_exception(error)
            return Sent(waiting, link, failed)

    def _retire(self, link: Link | None) -> None:
        if link:
            self._connections.retire(link)

    def _give_back(self, link: Link | None) -> None:
        if link:
            self._connections.give_back(link)


def _is_too_large(error: exceptions.GoogleAPICallError) -> bool:
    return bool(_TOO_LARGE.search(str(error).lower()))


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
