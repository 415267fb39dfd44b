"""Runs a child process of the lab: its output goes to a log file, it leads a process group, and it does not outlive its parent.

Guarantees that after `stop` nothing of the group is left, and that a killed lab takes its children along (program/die_with_parent.py).
Start children from a thread that lives as long as they should: the kernel ties them to the thread, not to the process.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType

from program import die_with_parent

REPOSITORY = Path(__file__).resolve().parents[2]
_STEP = 0.02


class StartFailed(Exception):
    """A child ended or was not ready in time; the text ends with the last lines of its log."""


class Child:
    """Runs a process as a context manager: `with Child("pipeline", command, log) as child: child.wait_until_done(60.0)`."""

    def __init__(self, name: str, command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None) -> None:
        """`environment` is added to ours. The log is appended to, so that a restarted child continues it."""
        self.name, self.log = name, log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [*die_with_parent.command(), *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(environment or {})},
                cwd=REPOSITORY,
                start_new_session=True,
            )

    def __enter__(self) -> Child:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def status(self) -> int | None:
        """Returns the exit status, negative for a signal; None while it runs."""
        return self._process.poll()

    def kill(self) -> None:
        """Sends SIGKILL to this process alone, as a power cut would end it."""
        self._process.kill()
        self._process.wait()

    def stop(self, seconds: float = 10.0) -> int:
        """Sends SIGTERM, after `seconds` SIGKILL, then kills what is left of the group. Returns the exit status."""
        if self.status is None:
            self._process.terminate()
        try:
            status = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            status = self._process.wait()
        self._kill_group()
        return status

    def wait_until(self, ready: Callable[[], bool], what: str, seconds: float = 30.0) -> None:
        """Raises StartFailed when the child ends first or is late; then nothing is left of it."""
        deadline = time.monotonic() + seconds
        while not ready():
            if self.status is not None or time.monotonic() > deadline:
                status = self.status
                self.stop(1.0)
                raise StartFailed(
                    self.failure_text(f"was not {what} after {seconds:.0f} s" if status is None else f"ended with status {status}")
                )
            time.sleep(_STEP)

    def wait_until_done(self, seconds: float) -> None:
        """Raises StartFailed if it fails or takes longer; then nothing is left of it."""
        deadline = time.monotonic() + seconds
        while self.status is None and time.monotonic() < deadline:
            time.sleep(_STEP)
        status = self.stop()
        if status:
            raise StartFailed(self.failure_text(f"ended with status {status}"))

    def failure_text(self, what: str) -> str:
        """Says how it ended, with the last lines of its log."""
        lines = "\n".join(self.log.read_text(errors="replace").splitlines()[-12:])
        return f"{self.name} {what}; {self.log} ends with:\n{lines}"

    def _kill_group(self) -> None:
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            return


def free_port() -> int:
    """Returns a TCP port of 127.0.0.1 that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listens(port: int) -> bool:
    """Returns whether something accepts connections there."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1.0).close()
    except OSError:
        return False
    return True
