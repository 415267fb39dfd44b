"""Tells the service manager that started this process how it goes: systemd's protocol, by one datagram each (man sd_notify).

Does nothing where no service manager listens. A unit of `Type=notify` with `WatchdogSec=` restarts a process that stopped saying `alive`.
"""

from __future__ import annotations

import os
import socket

from program import logs

_log = logs.get(__name__)


def ready() -> None:
    """Says that the process works now: units that wait for it may start."""
    _tell("READY=1")


def alive() -> None:
    """Says that the main loop turns."""
    _tell("WATCHDOG=1")


def stopping() -> None:
    """Says that the process was told to stop, and is at it."""
    _tell("STOPPING=1")


def _tell(state: str) -> None:
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as manager:
            # An abstract socket is written with @, and begins with a zero byte.
            manager.connect(f"\0{address[1:]}" if address.startswith("@") else address)
            manager.send(state.encode())
    except OSError as error:
        _log.debug("the service manager does not hear %s: %s", state, error)
