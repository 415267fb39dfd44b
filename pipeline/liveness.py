"""Tells the service manager that the engine answers, for as long as it does: one that hangs is ended and started anew with its pipeline."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from program import logs, service_manager

SECONDS = 20.0
"""Between two questions; a unit's WatchdogSec is several times that."""

_LOG = logs.get(__name__)


@contextmanager
def watched(state: Callable[[], object], every_seconds: float = SECONDS) -> Iterator[None]:
    """Says that the pipeline works, then that it is alive whenever the engine says its state, and at the end that it stops."""
    ended = threading.Event()
    watch = threading.Thread(target=_watch, args=(state, ended, every_seconds), name="watch", daemon=True)
    service_manager.ready()
    watch.start()
    try:
        yield
    finally:
        ended.set()
        service_manager.stopping()


def _watch(state: Callable[[], object], ended: threading.Event, every_seconds: float) -> None:
    while not ended.wait(every_seconds):
        try:
            state()
        except Exception as error:  # noqa: BLE001 - whoever waits for the engine hears of it, too
            _LOG.debug("the engine does not say its state: %s", error)
        else:
            service_manager.alive()
