"""What the lab says while it works: lines with the seconds since it began, and on a terminal one line that changes in place."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TextIO

_QUIET_SECONDS = 5.0
"""Where there is no terminal, a status is a line of its own, and no more often than this."""


class Console:
    """Not thread-safe: one thread talks."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream, self._clock = stream, clock
        self._began = clock()
        self._terminal = stream.isatty()
        self._status_time = -_QUIET_SECONDS
        self._open = False

    @property
    def seconds(self) -> float:
        """Since it began."""
        return self._clock() - self._began

    def title(self, text: str) -> None:
        self._write(f"\n{text}\n{'-' * max(map(len, text.splitlines()))}\n")

    def say(self, text: str) -> None:
        self._write(f"{self.seconds:6.1f} s  {text}\n")

    def show(self, text: str) -> None:
        """As it is, for tables."""
        self._write(f"{text}\n")

    def status(self, text: str) -> None:
        """Where we are; the next line takes its place."""
        if self._terminal:
            self._write(f"{self.seconds:6.1f} s  {text}")
            self._open = True
        elif self._clock() - self._status_time >= _QUIET_SECONDS:
            self._status_time = self._clock()
            self.say(text)

    def _write(self, text: str) -> None:
        self._stream.write("\r\x1b[K" + text if self._open else text)
        self._stream.flush()
        self._open = False
