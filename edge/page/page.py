"""Puts the page together: what the core tells, what it logs, and its state are shown to whoever looks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from edge.config import Config
from edge.health import HealthStatus
from edge.page import html
from edge.page.log_tail import LogTail
from edge.page.names import Names
from edge.page.recent import Recent
from edge.page.server import PageServer


class Page:
    """Usage: give `page.recent` to the gateway, `page.start()`, `page.report(status)` now and then, `page.stop()`."""

    def __init__(self, config: Config, clock: Callable[[], datetime]) -> None:
        """Listens at once. Raises ConfigError, OSError for the address."""
        self.recent = Recent()
        self._gateway, self._clock, self._logged = config.gateway.id, clock, LogTail()
        self._names = Names.load(config.page.registry_file, clock())
        self._status: HealthStatus | None = None
        self._server = PageServer(config.page, config.gateway.id, self.content)

    @property
    def port(self) -> int:
        return self._server.port

    def start(self) -> None:
        self._logged.listen()
        self._server.start()

    def stop(self) -> None:
        self._server.stop()
        self._logged.stop()

    def report(self, status: HealthStatus) -> None:
        """Replaces the state that is shown."""
        self._status = status

    def content(self) -> str:
        """Returns what the page shows now."""
        if self._status is None:
            return html.starting()
        shown = html.Shown(
            self._gateway, self._names, self._clock(), self._status, self.recent.devices(), self.recent.rejects_now(), self._logged.last()
        )
        return html.content(shown)
