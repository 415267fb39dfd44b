"""Says whether devices can post readings: whether the address is free or answers, who may, and until when its certificate is valid."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import datetime

from edge import certificate_findings
from edge.config import Config
from edge.finding import Finding, Status
from edge.intake.http.server_tls import ServerTls
from edge.intake.http.tokens import Tokens
from edge.settings.http import HttpSettings
from program.settings import ConfigError

_NAME = "http"
_SECONDS = 3.0


def of_http(config: Config, now: datetime, *, runs_here: bool) -> Iterator[Finding]:
    """Yields what is to be said of [http]. `runs_here`: the gateway of this machine is running."""
    settings = config.http
    try:
        tokens = Tokens(settings.tokens_file)
        if settings.tls_certificate:
            ServerTls(settings)
    except ConfigError as error:
        yield Finding(_NAME, Status.FAIL, str(error), "correct the file, or the setting")
        return
    yield _of_address(settings, f"tokens that may post readings: {len(tokens)}", runs_here=runs_here)
    yield from certificate_findings.of_own("http.tls_certificate", settings.tls_certificate, now)
    yield from certificate_findings.of_authorities("http.tls_client_ca", settings.tls_client_ca, now)


def _of_address(settings: HttpSettings, known: str, *, runs_here: bool) -> Finding:
    address = f"{settings.host}:{settings.port}"
    try:
        if runs_here:
            socket.create_connection((settings.host, settings.port), _SECONDS).close()
            return Finding(_NAME, Status.OK, f"{address} answers; {known}")
        family = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0][0]
        socket.create_server((settings.host, settings.port), family=family).close()
    except OSError as error:
        return Finding(_NAME, Status.FAIL, f"{address}: {error}", "correct http.host and http.port, or end what has the port")
    return Finding(_NAME, Status.OK, f"{address} is free; {known}")
