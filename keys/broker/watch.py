"""Keeps a broker's folder as the authority has it, and restarts the broker when somebody is to be out.

mosquitto asks for a certificate when somebody connects, and never again: it reads a new list of revoked certificates at SIGHUP, but leaves
who is connected alone, also after the end of a certificate (measured with 2.0.11). A restart lets in anew only who may come; sessions and
what waits in them are on disk.
"""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Callable
from datetime import datetime
from threading import Event

from keys.broker.folder import BrokerFolder
from keys.error import KeysError
from program import logs

SECONDS = 20.0
_COMMAND_SECONDS = 60.0

_log = logs.get(__name__)


def watch(folder: BrokerFolder, restart: str, stopping: Event, now: Callable[[], datetime], seconds: float = SECONDS) -> None:
    """Restarts once at first, then whenever admission changes, until it is stopped. What fails is tried again at the next look."""
    command, last = shlex.split(restart), ""
    while True:
        try:
            admission = folder.write(now())
            if admission != last:
                _restart(command)
                last = admission
        except KeysError as error:
            _log.error("the broker goes on with what it has: %s", error)
        if stopping.wait(seconds):
            return


def _restart(command: list[str]) -> None:
    """Raises KeysError."""
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=_COMMAND_SECONDS)
    except (OSError, subprocess.SubprocessError) as error:
        said = (getattr(error, "stderr", None) or str(error)).strip()
        raise KeysError(f"`{shlex.join(command)}` failed: {said}") from error
    _log.info("the broker is restarted: who may not come in any more is out")
