"""Keeps the headers by which Google lets a gateway in, and has a child process make new ones before they expire."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from edge.uplink.uplink import LinkDown, UplinkError
from program.child import environment, python_module
from schemas.records import LinkState

_CHILD_SECONDS = 120.0
_EARLY_SECONDS = 300.0
"""New ones are made so long before the old ones expire."""

Headers = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Pass:
    """Holds headers that hold between two moments, in seconds since 1970."""

    headers: Headers
    made: float
    expires: float

    def holds(self, now: float) -> bool:
        """A clock that was set back makes a pass of the future: the service would refuse it."""
        return self.made <= now < self.expires - _EARLY_SECONDS


_NONE = Pass((), 0.0, 0.0)


class AccessFailed(LinkDown):
    """No headers could be made now. Later they may."""


class Access:
    """Gives headers to any thread. A file that changes is read with the next headers, or once `forget` is called.

    Usage: `access.headers()` for each request, `access.forget()` when the service does not accept them.
    """

    def __init__(self, file: Path, clock: Callable[[], float] = time.time) -> None:
        """Raises UplinkError for a file that cannot be used. Asks no network."""
        self._file, self._clock = file, clock
        self._lock, self._pass = threading.Lock(), _NONE
        self._child: subprocess.Popen[str] | None = None
        self._is_closed = False
        try:
            self._run("--check")
        except AccessFailed as failure:
            raise UplinkError(f"uplink.credentials_file {file}: {failure}") from failure

    def headers(self) -> Headers:
        """Returns headers that hold, and waits for them if they are to be made. Raises AccessFailed."""
        with self._lock:
            now = self._clock()
            if not self._pass.holds(now):
                made = json.loads(self._run())
                self._pass = Pass(tuple(made["headers"].items()), now, made["expires"])
            return self._pass.headers

    def forget(self) -> None:
        """Has new headers made for the next request."""
        with self._lock:
            self._pass = _NONE

    def close(self) -> None:
        """Ends a child that is at it, which would hold up the end of the process."""
        self._is_closed = True
        if self._child:
            self._child.kill()

    def _run(self, *options: str) -> str:
        command = python_module("edge.uplink.access_child", str(self._file), *options)
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()) as self._child:
            if self._is_closed:
                self._child.kill()
            try:
                output, errors = self._child.communicate(timeout=_CHILD_SECONDS)
            except subprocess.TimeoutExpired as late:
                self._child.kill()
                raise AccessFailed(f"no token within {_CHILD_SECONDS:.0f} s") from late
        if self._child.returncode:
            raise _failed(output, errors, self._child.returncode)
        return output


def _failed(output: str, errors: str, status: int) -> AccessFailed:
    """Reads what a child says that made no headers. One that died has said nothing but what its interpreter did."""
    try:
        failure = json.loads(output)
        return AccessFailed(failure["text"], LinkState(failure["state"]))
    except ValueError:
        return AccessFailed((errors.strip().splitlines() or [f"exit status {status}"])[-1])
