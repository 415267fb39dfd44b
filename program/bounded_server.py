"""Serves HTTP so that nobody holds it up: a connection has a thread and a time, and there are at most so many. With TLS or without."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

from program import logs

SECONDS = 10.0
CONNECTIONS = 32
_STOP_SECONDS = 0.1
"""So long it takes at most until a stop is seen."""

Answer = tuple[int, str, bytes]
"""Status, type and body."""

_log = logs.get(__name__)


class BoundedServer(ThreadingHTTPServer):
    """Listens from its making. Usage: `with server.running(): ...`."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler], context: ssl.SSLContext | None) -> None:
        """Raises OSError for the address."""
        self._context, self._free = context, threading.Semaphore(CONNECTIONS)
        super().__init__(address, handler)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Serves in a thread until the block ends; then it listens no more."""
        thread = threading.Thread(target=self.serve_forever, args=(_STOP_SECONDS,), name="server")
        thread.start()
        try:
            yield
        finally:
            self.shutdown()
            self.server_close()
            thread.join()

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._free.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Shakes hands in the connection's own thread."""
        try:
            request.settimeout(SECONDS)
            with self._context.wrap_socket(request, server_side=True) if self._context else nullcontext(request) as connection:
                self.finish_request(cast("Any", connection), client_address)
        except OSError as error:
            _log.info("a connection from %s ends: %s", client_address[0], error)
        finally:
            self.shutdown_request(request)
            self._free.release()


def answers_to_get(answer: Callable[[str], Answer]) -> type[BaseHTTPRequestHandler]:
    """Returns a handler that answers GET by the path of a request."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, kind, body = answer(self.path)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Requests are not logged."""

    return Handler


def tls_context(identity: Path) -> ssl.SSLContext:
    """Returns a context for TLS 1.2 or later that shows what is in the file, key and certificate. Raises OSError, as ssl.SSLError is."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(identity)
    return context
