import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest

from lab.witness.tcp_proxy import TcpProxy


class Echo:
    """A server that sends back what it receives."""

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


class Recorder:
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


def _exchange(connection: socket.socket, data: bytes) -> bytes:
    connection.sendall(data)
    return connection.recv(4096)


def _connect(proxy: TcpProxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), timeout=5)


def test_it_passes_bytes_on_counts_them_and_shows_them(echo: Echo) -> None:
    recorder = Recorder()
    with TcpProxy(("127.0.0.1", echo.port), lambda: recorder) as proxy, _connect(proxy) as client:
        assert _exchange(client, b"hello") == b"hello"
        assert (proxy.bytes_sent, proxy.bytes_received, proxy.connections) == (5, 5, 1)
        assert (recorder.to_server, recorder.to_client) == (b"hello", b"hello")


def test_a_cut_resets_what_is_open_and_what_comes_until_it_is_restored(echo: Echo) -> None:
    with TcpProxy(("127.0.0.1", echo.port)) as proxy:
        with _connect(proxy) as client:
            assert _exchange(client, b"before") == b"before"
            proxy.cut()
            with pytest.raises(ConnectionResetError):
                client.recv(1)
        with pytest.raises(ConnectionResetError), _connect(proxy) as refused:
            refused.recv(1)
        proxy.restore()
        with _connect(proxy) as second:
            assert _exchange(second, b"after") == b"after"
        assert proxy.connections == 2


def test_when_the_client_is_gone_the_server_is_disconnected(echo: Echo) -> None:
    with TcpProxy(("127.0.0.1", echo.port)) as proxy, _connect(proxy) as client:
        client.shutdown(socket.SHUT_WR)
        assert client.recv(1) == b""


def test_without_a_server_a_client_is_sent_away() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with TcpProxy(("127.0.0.1", port)) as proxy, _connect(proxy) as client:
        assert client.recv(1) == b""
        assert proxy.connections == 0
