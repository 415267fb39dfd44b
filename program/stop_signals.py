"""Hears who asks a program to stop: SIGTERM, as of systemd, and Ctrl-C."""

from __future__ import annotations

import signal
from threading import Event


def stop_event() -> Event:
    """Returns what either signal sets from now on. For the main thread."""
    stopping = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    return stopping
