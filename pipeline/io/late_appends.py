"""Notices whose rows wait for long, and says so: a table that is denied or missing is waited for as long as it takes, but not silently."""

from __future__ import annotations

from collections.abc import Callable

from program import logs

LATE_SECONDS = 300.0
"""From then on, and each time as much again, it is an error: the back-offs of a passing outage are over sooner."""

_LOG = logs.get(__name__)


class LateAppends:
    """Knows since when the appends of one bundle fail, by table: `late.failed("summaries_v1", "denied", now)`."""

    def __init__(self, on_late: Callable[[str], None]) -> None:
        """`on_late` is called with the table, once for each LATE_SECONDS that its rows wait."""
        self._on_late = on_late
        self._since: dict[str, float] = {}
        self._heard: dict[str, int] = {}

    def failed(self, table: str, cause: str, now: float) -> None:
        """Notes a failure, and says what it is once for each LATE_SECONDS. `now` is of any clock that does not jump."""
        waited = now - self._since.setdefault(table, now)
        times = int(waited // LATE_SECONDS)
        if times > self._heard.get(table, 0):
            self._heard[table] = times
            self._on_late(table)
            _LOG.error("rows of %s wait for %.0f minutes, and their messages are not acknowledged: %s", table, waited / 60, cause)
