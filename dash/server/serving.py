"""Runs the application on an address until SIGTERM or Ctrl-C."""

from __future__ import annotations

import socket
from collections.abc import Callable

import click
import uvicorn
from starlette.applications import Starlette


def serve(app: Starlette, listen: str, port: int, listening: Callable[[str], object]) -> None:
    """Serves until it is told to stop; `listening` gets the address once it takes requests. Raises ClickException for the address."""
    try:
        family = socket.AF_INET6 if ":" in listen else socket.AF_INET
        bound = socket.create_server((listen, port), family=family)
    except OSError as error:
        raise click.ClickException(f"--listen {listen} --port {port}: {error.strerror}") from error
    host = f"[{listen}]" if ":" in listen else listen
    listening(f"http://{host}:{bound.getsockname()[1]}/")
    config = uvicorn.Config(
        app, log_config=None, access_log=False, ws="none", server_header=False, proxy_headers=False, timeout_graceful_shutdown=5
    )
    uvicorn.Server(config).run([bound])
