"""A server of the Storage Write API on a socket, that does to appends what networks and clouds do. Google's own client speaks to it."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import grpc
import pyarrow as pa
from google.cloud.bigquery_storage_v1 import types
from google.rpc import code_pb2, status_pb2

_SERVICE = "google.cloud.bigquery.storage.v1.BigQueryWrite"
_ABORT_AT_ONCE = struct.pack("ii", 1, 0)


class Fault(StrEnum):
    """What becomes of one request: not written and refused, or without an answer; or written (from AFTER_CUT on), and only the answer or
    what comes later is lost.
    """

    UNAVAILABLE = "unavailable"
    QUOTA = "quota"
    ANSWERED_UNAVAILABLE = "answered_unavailable"
    ENDED = "ended"
    CUT = "cut"
    SILENT = "silent"
    AFTER_CUT = "after_cut"
    AFTER_SILENT = "after_silent"
    THEN_ENDED = "then_ended"
    THEN_CUT = "then_cut"


_WRITTEN = {None, Fault.AFTER_CUT, Fault.AFTER_SILENT, Fault.THEN_ENDED, Fault.THEN_CUT}


@dataclass
class FaultyStorage:
    """Keeps what is appended to each table, column `n`, and refuses rows whose `n` is bad; `faults` are those of the next requests."""

    faults: list[Fault | None] = field(default_factory=list)
    bad: frozenset[int] = frozenset()
    written: dict[str, list[int]] = field(default_factory=dict)

    def __enter__(self) -> FaultyStorage:
        self._lock = threading.Lock()
        append = grpc.stream_stream_rpc_method_handler(
            self._append_rows,
            request_deserializer=types.AppendRowsRequest.deserialize,
            response_serializer=types.AppendRowsResponse.serialize,
        )
        self._server = grpc.server(ThreadPoolExecutor(32))
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(_SERVICE, {"AppendRows": append}),))
        self._line = Line(self._server.add_insecure_port("127.0.0.1:0"))
        self.address = self._line.address
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._line.close()
        self._server.stop(0).wait()

    def _append_rows(self, requests: Iterator[types.AppendRowsRequest], context: Any) -> Iterator[types.AppendRowsResponse]:
        schema = None
        for request in requests:
            schema = schema or pa.ipc.read_schema(pa.py_buffer(request.arrow_rows.writer_schema.serialized_schema))
            rows = pa.ipc.read_record_batch(pa.py_buffer(request.arrow_rows.rows.serialized_record_batch), schema)
            with self._lock:
                fault = self.faults.pop(0) if self.faults else None
            refused = self._write(request.write_stream.split("/")[5], rows.column("n").to_pylist(), fault)
            if not self._interrupt(fault, context):
                return
            yield _answer(fault, refused)
            if fault == Fault.THEN_CUT:
                self._line.cut()
            if fault in {Fault.THEN_ENDED, Fault.THEN_CUT}:
                return

    def _write(self, table: str, numbers: list[int], fault: Fault | None) -> list[tuple[int, int]]:
        """Writes rows, none if any is bad, and returns the bad ones with their places."""
        refused = [(at, number) for at, number in enumerate(numbers) if number in self.bad]
        if not refused and fault in _WRITTEN:
            with self._lock:
                self.written.setdefault(table, []).extend(numbers)
        return refused

    def _interrupt(self, fault: Fault | None, context: Any) -> bool:
        """Does what the fault does to the stream, and says whether there is an answer."""
        match fault:
            case Fault.UNAVAILABLE | Fault.QUOTA:
                context.abort(grpc.StatusCode.UNAVAILABLE if fault == Fault.UNAVAILABLE else grpc.StatusCode.RESOURCE_EXHAUSTED, fault)
            case Fault.CUT | Fault.AFTER_CUT:
                self._line.cut()
            case Fault.SILENT | Fault.AFTER_SILENT:
                ended = threading.Event()
                context.add_callback(ended.set)
                ended.wait(30)
        return fault in {None, Fault.ANSWERED_UNAVAILABLE, Fault.THEN_ENDED, Fault.THEN_CUT}


def _answer(fault: Fault | None, refused: list[tuple[int, int]]) -> types.AppendRowsResponse:
    if fault == Fault.ANSWERED_UNAVAILABLE:
        return _failed(code_pb2.UNAVAILABLE, [])
    return _failed(code_pb2.INVALID_ARGUMENT, refused) if refused else types.AppendRowsResponse(append_result={})


def _failed(code: int, refused: list[tuple[int, int]]) -> types.AppendRowsResponse:
    errors = [types.RowError(index=at, code=types.RowError.RowErrorCode.FIELDS_ERROR, message=f"{number} is bad") for at, number in refused]
    return types.AppendRowsResponse(error=status_pb2.Status(code=code, message="as the schedule says"), row_errors=errors)


class Line:
    """Carries bytes to a port of this machine and back; `cut` resets every connection, as a network that breaks does."""

    def __init__(self, port: int) -> None:
        self._target, self._ends, self._lock = ("127.0.0.1", port), set[socket.socket](), threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        with self._lock:
            ends, self._ends = self._ends, set()
        for end in ends:
            with suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT_AT_ONCE)
                end.shutdown(socket.SHUT_RD)
            end.close()

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(self._target)
                with self._lock:
                    self._ends |= {near, far}
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=_carry, args=(one, other), daemon=True).start()


def _carry(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(65_536):
            target.sendall(piece)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
