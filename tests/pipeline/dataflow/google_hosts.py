"""Stands between a program and Google: a proxy that answers for hosts of Google by HTTPS, and asks servers on this machine.

The program is left as it is, for it is told by its environment alone, as of any proxy of a company: HTTPS_PROXY, a certificate authority,
and credentials.
"""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer

import trustme

_BUFFER = 1 << 16


@contextmanager
def google_hosts(folder: Path, servers: Mapping[str, int]) -> Iterator[dict[str, str]]:
    """Yields the environment of a program for which each of the hosts is a server at that port, which speaks plain HTTP."""
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(*servers).configure_cert(context)
    authority.cert_pem.write_to_path(folder / "authority.pem")
    credentials = {"type": "authorized_user", "client_id": "c", "client_secret": "s", "refresh_token": "r"}
    (folder / "credentials.json").write_text(json.dumps(credentials))
    with ThreadingTCPServer(("127.0.0.1", 0), _tunnel(context, servers)) as proxy:
        proxy.daemon_threads = True
        threading.Thread(target=proxy.serve_forever, args=(0.05,), daemon=True).start()
        yield {
            "HTTPS_PROXY": f"http://127.0.0.1:{proxy.server_address[1]}",
            "NO_PROXY": "localhost,127.0.0.1",
            "REQUESTS_CA_BUNDLE": str(folder / "authority.pem"),
            "GOOGLE_APPLICATION_CREDENTIALS": str(folder / "credentials.json"),
        }
        proxy.shutdown()


def _tunnel(context: ssl.SSLContext, servers: Mapping[str, int]) -> type[StreamRequestHandler]:
    class Tunnel(StreamRequestHandler):
        """Answers `CONNECT host:443`, ends the encryption, and passes on what is said. Other hosts are not there."""

        def handle(self) -> None:
            host = self.rfile.readline().split()[1].decode().partition(":")[0]
            while self.rfile.readline().strip():
                """Headers of the request to the proxy say nothing of interest."""
            if host not in servers:
                self.wfile.write(b"HTTP/1.1 502 Bad Gateway\r\n\r\n")
                return
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            with context.wrap_socket(self.connection, server_side=True) as client, _connected(servers[host]) as server:
                back = threading.Thread(target=_pass_on, args=(server, client), daemon=True)
                back.start()
                _pass_on(client, server)
                back.join(10.0)

    return Tunnel


def _connected(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port))


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(_BUFFER):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)
