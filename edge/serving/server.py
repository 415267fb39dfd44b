"""Accepts connections, as many as there may be in all and from one address, and serves each in a thread. More are closed at once."""

from __future__ import annotations

import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from edge.serving.server_tls import ServerTls
from program import logs

_HANDSHAKE_SECONDS = 10.0
_PAUSE_SECONDS = 0.1
"""After a fault of accepting, such as too many open files."""
_STOP_SECONDS = 2.0

_log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Says where a server listens, by which table of settings, and how many connections there may be."""

    table: str
    host: str
    port: int
    max_connections: int
    max_connections_per_address: int


class Server:
    """Listens from its making, serves from `start` to `stop`."""

    def __init__(self, endpoint: Endpoint, tls: ServerTls | None, serve: Callable[[socket.socket, str], None]) -> None:
        """`serve` is called in a thread for each connection, with its address, and ends with it. Raises OSError."""
        self._endpoint, self._tls, self._serve = endpoint, tls, serve
        family = socket.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM)[0][0]
        self._listener = socket.create_server((endpoint.host, endpoint.port), family=family, backlog=endpoint.max_connections)
        self.port: int = self._listener.getsockname()[1]
        self._lock = threading.Lock()
        self._open = set[socket.socket]()
        self._by_address = Counter[str]()
        self._is_full = self._is_failing = self._is_stopping = False
        self._thread = threading.Thread(target=self._accept, name=self._endpoint.table, daemon=True)

    @property
    def connections(self) -> int:
        return len(self._open)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Closes everything, and waits a little for those that are being served. May be called again."""
        if self._is_stopping:
            return
        self._is_stopping = True
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        if self._thread.is_alive():
            self._thread.join(_STOP_SECONDS)
        until = time.monotonic() + _STOP_SECONDS
        while self._open and time.monotonic() < until:
            time.sleep(_PAUSE_SECONDS / 2)
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while not self._is_stopping:
            try:
                connection, (address, *_) = self._listener.accept()
            except OSError as error:
                if not self._is_stopping:
                    self._note_fault(error)
                    time.sleep(_PAUSE_SECONDS)
                continue
            self._is_failing = False
            if self._enter(connection, address):
                threading.Thread(target=self._run, args=(connection, address), name=f"{self._endpoint.table}-request", daemon=True).start()
            else:
                connection.close()

    def _enter(self, connection: socket.socket, address: str) -> bool:
        """Says whether there may be one more, and counts it."""
        with self._lock:
            is_full = len(self._open) >= self._endpoint.max_connections
            if is_full or self._by_address[address] >= self._endpoint.max_connections_per_address:
                self._note_full(address)
                return False
            self._is_full = False
            self._open.add(connection)
            self._by_address[address] += 1
            return True

    def _note_fault(self, error: OSError) -> None:
        if not self._is_failing:
            _log.error("%s: no connection can be taken: %s; trying again", self._endpoint.table, error)
        self._is_failing = True

    def _note_full(self, address: str) -> None:
        if not self._is_full:
            _log.warning("%s: too many connections, the last from %s: more are closed until some end", self._endpoint.table, address)
        self._is_full = True

    def _run(self, connection: socket.socket, address: str) -> None:
        served = connection
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.settimeout(_HANDSHAKE_SECONDS)
            if self._tls:
                served = self._secured(connection, self._tls)
            self._serve(served, address)
        except OSError as error:
            _log.debug("%s: %s: %s", self._endpoint.table, address, error)
        except Exception:  # noqa: BLE001
            # One request must not end what serves the others, and its sender gets no answer, so it sends again.
            _log.exception("%s: a request of %s failed", self._endpoint.table, address)
        finally:
            served.close()
            self._leave(served, address)

    def _secured(self, connection: socket.socket, tls: ServerTls) -> socket.socket:
        secured = tls.wrap(connection)
        with self._lock:
            self._open.discard(connection)
            self._open.add(secured)
        return secured

    def _leave(self, served: socket.socket, address: str) -> None:
        with self._lock:
            self._open.discard(served)
            self._by_address[address] -= 1
            if not self._by_address[address]:
                del self._by_address[address]
