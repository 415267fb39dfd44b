"""Keeps the registry of a process in force: read once, then looked at anew, and replaced when anything in it changed.

What cannot be read or is unsound is said at each look, and the last good registry stays in force. Nobody waits but for the first.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from random import Random

from program import logs
from program.backoff import Backoff
from program.settings import ConfigError
from schemas.registry import Registry
from schemas.registry_changes import changes
from schemas.registry_tables import entries_of

BACKOFF = Backoff(initial_interval=0.5, max_interval=30.0)
"""Between two attempts of the first look."""

_LOG = logs.get(__name__)


class RegistryCache:
    """Gives the registry that was read last: `RegistryCache(read, time.sleep, Random()).current()`. Of many threads one reads."""

    def __init__(self, read: Callable[[], Registry], sleep: Callable[[float], None], rng: Random) -> None:
        self._read, self._sleep, self._rng = read, sleep, rng
        self._registry: Registry | None = None
        self._lock = threading.Lock()

    def current(self) -> Registry:
        """Returns the registry: the same object until a look finds another content. Waits for the first one, loudly and for ever."""
        if self._registry is None:
            with self._lock:
                self._wait()
        assert self._registry is not None
        return self._registry

    def load(self) -> Registry:
        """Reads it now. Raises what reading raises: for a start that must not succeed without a registry."""
        with self._lock:
            return self._replace(self._read())

    def refresh(self) -> None:
        """Looks at it anew."""
        with self._lock:
            try:
                self._replace(self._read())
            except ConfigError as error:
                _LOG.error("the registry is refused, the last good one stays in force: %s", error)
            except Exception as error:  # noqa: BLE001 - an outage of whatever kind; it is looked at again
                _LOG.warning("the registry cannot be read, the last one stays in force: %s: %s", type(error).__name__, error)

    def _wait(self) -> None:
        for pause in BACKOFF.delays(self._rng):
            if self._registry is not None:
                return
            try:
                self._replace(self._read())
            except Exception as error:  # noqa: BLE001 - without a registry nothing can go on
                _LOG.warning("there is no registry yet (%s: %s); trying again in %.1f s", type(error).__name__, error, pause)
                self._sleep(pause)

    def _replace(self, registry: Registry) -> Registry:
        before = self._registry
        if before == registry:
            return before
        for sentence in changes(entries_of(before), entries_of(registry)) if before else ():
            _LOG.info("the registry has changed: %s", sentence)
        self._registry = registry
        return registry
