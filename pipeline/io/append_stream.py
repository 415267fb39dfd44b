"""Sends appends over one stream to the default stream of a table, and gives each request its own answer, for answers come in its order.

Guarantees that a stream which has ended, for whatever reason, stays ended: every request without an answer fails then, and so does every
later one, until somebody opens another. Google's AppendRowsStream opens itself anew and goes on with the queue that it has: an answer then
goes to a request whose rows were never written (docs/adr/0036-streams-of-appends.md).
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any

import grpc
import pyarrow as pa
from google.api_core import exceptions
from google.cloud.bigquery_storage_v1 import BigQueryWriteClient, types


class StreamEnded(Exception):
    """The stream has ended, and nothing went wrong."""


class AppendStream:
    """Appends rows of one schema to one table. From any thread.

    Usage: `stream = AppendStream(client, name, schema)`, `stream.send(rows).result(60)`, `stream.close()`.
    """

    def __init__(self, client: BigQueryWriteClient, name: str, schema: pa.Schema) -> None:
        """Opens the stream, without waiting; `name` is the resource name of a table's default stream."""
        self._name, self._schema = name, schema.serialize().to_pybytes()
        self._lock = threading.Lock()
        self._requests: SimpleQueue[types.AppendRowsRequest | None] = SimpleQueue()
        self._waiting: deque[Future[types.AppendRowsResponse]] = deque()
        self._is_first = True
        self._end: Exception | None = None
        route = (("x-goog-request-params", f"write_stream={name}"),)
        self._answers: Any = client.append_rows(iter(self._requests.get, None), retry=None, timeout=None, metadata=route)
        threading.Thread(target=self._read, name="appends", daemon=True).start()

    def send(self, rows: pa.RecordBatch) -> Future[types.AppendRowsResponse]:
        """Sends rows; returns what becomes of them. Raises why the stream has ended."""
        answer: Future[types.AppendRowsResponse] = Future()
        with self._lock:
            if self._end:
                raise self._end
            self._waiting.append(answer)
            self._requests.put(self._request(rows))
        return answer

    def close(self) -> None:
        """Ends the stream. What has no answer may be written or not."""
        self._fail(StreamEnded("the stream was closed before an answer came"))
        self._answers.cancel()

    def _request(self, rows: pa.RecordBatch) -> types.AppendRowsRequest:
        request = types.AppendRowsRequest(write_stream=self._name)
        request.arrow_rows.rows.serialized_record_batch = rows.serialize().to_pybytes()
        if self._is_first:
            request.trace_id, request.arrow_rows.writer_schema.serialized_schema = "tinybeam", self._schema
            self._is_first = False
        return request

    def _read(self) -> None:
        try:
            self._answer(self._answers)
        except (exceptions.GoogleAPICallError, grpc.RpcError) as error:
            self._fail(error)
        except Exception as error:  # noqa: BLE001 - whoever waits for an answer has to hear of it
            self._fail(StreamEnded(f"reading answers failed: {error!r}"))
        else:
            self._fail(StreamEnded("the server has ended the stream"))

    def _answer(self, responses: Iterable[types.AppendRowsResponse]) -> None:
        for response in responses:
            with self._lock:
                answer = self._waiting.popleft() if self._waiting else None
            if answer is None:
                continue  # closed meanwhile
            if response.error.code:
                answer.set_exception(exceptions.from_grpc_status(response.error.code, response.error.message, response=response))
            else:
                answer.set_result(response)

    def _fail(self, error: Exception) -> None:
        with self._lock:
            self._end = self._end or error
            unanswered, self._waiting = self._waiting, deque()
        self._requests.put(None)
        for answer in unanswered:
            answer.set_exception(error)
