"""Writes metrics in Prometheus' text format 0.0.4, and serves them on this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any, Literal

from program.bounded_server import BoundedServer
from program.settings import ConfigError

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
HOST = "127.0.0.1"

_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})

Sample = tuple[Mapping[str, str], float]
"""Labels and a value."""


def family(name: str, kind: Literal["counter", "gauge"], meaning: str, samples: Iterable[Sample]) -> Iterator[str]:
    """Yields the lines of one metric, each with its end."""
    yield f"# HELP {name} {meaning}\n"
    yield f"# TYPE {name} {kind}\n"
    for labels, value in samples:
        written = ",".join(f'{label}="{text.translate(_ESCAPES)}"' for label, text in labels.items())
        yield f"{name}{{{written}}} {value}\n" if written else f"{name} {value}\n"


@contextmanager
def served(setting: str, port: int, exposition: Callable[[], str]) -> Iterator[None]:
    """Serves /metrics on this machine alone until the block ends; 0 serves nothing. Raises ConfigError, which names the setting."""
    if not port:
        yield
        return
    try:
        server = BoundedServer((HOST, port), _handler(exposition), None)
    except OSError as error:
        raise ConfigError(f"{setting} {port}: {error.strerror}") from error
    with server.running():
        yield


def _handler(exposition: Callable[[], str]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = self.path == "/metrics"
            body = exposition().encode() if found else b"there is /metrics\n"
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", CONTENT_TYPE)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Requests are not logged."""

    return Handler
