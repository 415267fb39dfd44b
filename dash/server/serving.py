"""Runs the application on an address until SIGTERM or Ctrl-C, for clients of which some are slow, and some mean harm."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

import click
import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.h11_impl import H11Protocol

_MOST_CONNECTIONS = 500
"""Beyond so many a request is answered 503, as each takes a file of the process."""


class PromptClients(H11Protocol):
    """Hangs up on a client that does not ask: who opens connections and says nothing, or a byte at a time, would take all there are."""

    head_seconds = 20.0
    """So long it may take for the head of a request."""
    _waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._waiting:
            self._waiting.cancel()
        super().connection_lost(exc)

    def _wait(self) -> None:
        if self._waiting:
            self._waiting.cancel()
        self._waiting = self.loop.call_later(self.head_seconds, self._hang_up_if_idle)

    def _hang_up_if_idle(self) -> None:
        if self.cycle is None or self.cycle.response_complete:
            self.transport.close()


def server(app: Starlette, clients: type[PromptClients] = PromptClients) -> uvicorn.Server:
    """Returns what serves the application once it is run with a socket."""
    return uvicorn.Server(
        uvicorn.Config(
            app,
            http=clients,
            log_config=None,
            access_log=False,
            ws="none",
            server_header=False,
            proxy_headers=False,
            limit_concurrency=_MOST_CONNECTIONS,
            timeout_graceful_shutdown=5,
        )
    )


def serve(app: Starlette, listen: str, port: int, listening: Callable[[str], object]) -> None:
    """Serves until it is told to stop; `listening` gets the address once it takes requests. Raises ClickException for the address."""
    try:
        family = socket.AF_INET6 if ":" in listen else socket.AF_INET
        bound = socket.create_server((listen, port), family=family)
    except OSError as error:
        raise click.ClickException(f"--listen {listen} --port {port}: {error.strerror}") from error
    host = f"[{listen}]" if ":" in listen else listen
    listening(f"http://{host}:{bound.getsockname()[1]}/")
    server(app).run([bound])
