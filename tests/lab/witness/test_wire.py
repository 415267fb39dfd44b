import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest

from lab.witness.wire import Wire


class Echo:
    """A server that answers what it hears."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            while data := connection.recv(4096):
                connection.sendall(data)

    def close(self) -> None:
        self._listener.close()


class Notes:
    def __init__(self) -> None:
        self.to_server, self.to_client = b"", b""

    def sent(self, data: bytes) -> None:
        self.to_server += data

    def received(self, data: bytes) -> None:
        self.to_client += data


@pytest.fixture
def echo() -> Iterator[Echo]:
    server = Echo()
    yield server
    server.close()


def _say(connection: socket.socket, data: bytes) -> bytes:
    connection.sendall(data)
    return connection.recv(4096)


def _connect(wire: Wire) -> socket.socket:
    return socket.create_connection(("127.0.0.1", wire.port), timeout=5)


def test_it_passes_bytes_on_counts_them_and_shows_them(echo: Echo) -> None:
    notes = Notes()
    with Wire(("127.0.0.1", echo.port), lambda: notes) as wire, _connect(wire) as client:
        assert _say(client, b"hello") == b"hello"
        assert (wire.bytes_sent, wire.bytes_received, wire.connections) == (5, 5, 1)
        assert (notes.to_server, notes.to_client) == (b"hello", b"hello")


def test_a_cut_resets_what_is_open_and_what_comes_until_it_is_restored(echo: Echo) -> None:
    with Wire(("127.0.0.1", echo.port)) as wire:
        with _connect(wire) as client:
            assert _say(client, b"before") == b"before"
            wire.cut()
            with pytest.raises(ConnectionResetError):
                client.recv(1)
        with pytest.raises(ConnectionResetError), _connect(wire) as refused:
            refused.recv(1)
        wire.restore()
        with _connect(wire) as again:
            assert _say(again, b"after") == b"after"
        assert wire.connections == 2


def test_when_the_client_is_gone_the_server_hears_of_it(echo: Echo) -> None:
    with Wire(("127.0.0.1", echo.port)) as wire, _connect(wire) as client:
        client.shutdown(socket.SHUT_WR)
        assert client.recv(1) == b""


def test_without_a_server_a_client_is_sent_away() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with Wire(("127.0.0.1", port)) as wire, _connect(wire) as client:
        assert client.recv(1) == b""
        assert wire.connections == 0
