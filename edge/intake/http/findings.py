"""Says whether devices can post readings: whether the address is free or answers, who may, and until when its certificate is valid."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from edge import certificate_findings
from edge.config import Config
from edge.finding import Finding, Status
from edge.intake.http.tokens import Tokens
from edge.serving.findings import of_address
from edge.serving.server_tls import ServerTls
from program.settings import ConfigError

_NAME = "http"


def of_http(config: Config, now: datetime, *, runs_here: bool) -> Iterator[Finding]:
    """Yields what is to be said of [http]. `runs_here`: the gateway of this machine is running."""
    settings = config.http
    try:
        tokens = Tokens(settings.tokens_file)
        if settings.tls_files:
            ServerTls(settings.tls_files)
    except ConfigError as error:
        yield Finding(_NAME, Status.FAIL, str(error), "correct the file, or the setting")
        return
    yield of_address(_NAME, settings.host, settings.port, f"tokens that may post readings: {len(tokens)}", runs_here=runs_here)
    yield from certificate_findings.of_own("http.tls_certificate", settings.tls_certificate, now)
    yield from certificate_findings.of_authorities("http.tls_client_ca", settings.tls_client_ca, now)
