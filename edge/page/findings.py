"""Says whether the gateway's page can be looked at: its address, its password, and until when its certificate is valid."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from edge import certificate_findings
from edge.config import Config
from edge.finding import Finding, Status
from edge.page.names import Names
from edge.page.server import password_of
from edge.serving.findings import of_address
from edge.serving.server_tls import ServerTls
from program.settings import ConfigError

_NAME = "page"


def of_page(config: Config, now: datetime, *, runs_here: bool) -> Iterator[Finding]:
    """Yields what is to be said of [page]. `runs_here`: the gateway of this machine is running."""
    settings = config.page
    try:
        known = "by password" if password_of(settings) else "for whoever is on this machine"
        Names.load(settings.registry_file, now)
        if settings.tls_files:
            ServerTls(settings.tls_files)
    except ConfigError as error:
        yield Finding(_NAME, Status.FAIL, str(error), "correct the file, or the setting")
        return
    yield of_address(_NAME, settings.host, settings.port, known, runs_here=runs_here)
    yield from certificate_findings.of_own("page.tls_certificate", settings.tls_certificate, now)
