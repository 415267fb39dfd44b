"""Writes metrics in Prometheus' text format 0.0.4, and serves them on this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Literal

from program.bounded_server import Answer, BoundedServer, answers_to_get
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

    def answer(path: str) -> Answer:
        return (200, CONTENT_TYPE, exposition().encode()) if path == "/metrics" else (404, CONTENT_TYPE, b"there is /metrics\n")

    try:
        server = BoundedServer((HOST, port), answers_to_get(answer), None)
    except OSError as error:
        raise ConfigError(f"{setting} {port}: {error.strerror}") from error
    with server.running():
        yield
