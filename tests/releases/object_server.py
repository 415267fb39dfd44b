"""A server of objects on this machine: PUT and GET of whole objects by their paths, as Cloud Storage (XML), S3 and Azure speak them alike.

It keeps what came in the order in which it came, and may refuse or lose its power; signatures are not looked at.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import md5
from http.server import BaseHTTPRequestHandler
from urllib.parse import unquote, urlsplit

from lab.services.http_server import serving


@dataclass
class ObjectServer:
    """`objects` are path -> content, `written` the paths in their order; after `takes` more of them it refuses all."""

    url: str = ""
    objects: dict[str, bytes] = field(default_factory=dict)
    headers: dict[str, dict[str, str]] = field(default_factory=dict)
    written: list[str] = field(default_factory=list)
    takes: int | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def put(self, path: str, content: bytes, headers: dict[str, str]) -> int:
        with self.lock:
            if self.takes is not None:
                if not self.takes:
                    return 403
                self.takes -= 1
            self.objects[path], self.headers[path] = content, headers
            self.written.append(path)
            return 201


@contextmanager
def object_server() -> Iterator[ObjectServer]:
    server = ObjectServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_PUT(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self._answer(server.put(_object(self.path), content, dict(self.headers)), b"")

        def do_GET(self) -> None:
            found = server.objects.get(_object(self.path))
            self._answer(404 if found is None else 200, found or b"")

        def _answer(self, status: int, content: bytes) -> None:
            self.send_response(status)
            self.send_header("ETag", f'"{md5(content).hexdigest()}"')
            self.send_header("Last-Modified", "Fri, 01 May 2026 12:00:00 GMT")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with serving(Handler) as port:
        server.url = f"http://127.0.0.1:{port}"
        yield server


def _object(target: str) -> str:
    return unquote(urlsplit(target).path)
