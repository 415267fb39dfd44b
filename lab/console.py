"""Progress on the console: lines with the seconds since the start, and on a terminal one line that changes in place."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TextIO

_QUIET_SECONDS = 5.0
"""Where there is no terminal, a status is a line of its own, and no more often than this."""


class Console:
    """Writes progress to a stream; not thread-safe, so one thread writes."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream, self._clock = stream, clock
        self._started = clock()
        self._terminal = stream.isatty()
        self._status_time = -_QUIET_SECONDS
        self._status_shown = False

    @property
    def seconds(self) -> float:
        """Returns the seconds since the console was opened."""
        return self._clock() - self._started

    def title(self, text: str) -> None:
        """Writes a heading."""
        self._write(f"\n{text}\n{'-' * max(map(len, text.splitlines()))}\n")

    def log(self, text: str) -> None:
        """Writes a line with the seconds before it."""
        self._write(f"{self.seconds:6.1f} s  {text}\n")

    def show(self, text: str) -> None:
        """Writes the text as it is, for tables."""
        self._write(f"{text}\n")

    def status(self, text: str) -> None:
        """Writes where the work stands; the next line takes its place."""
        if self._terminal:
            self._write(f"{self.seconds:6.1f} s  {text}")
            self._status_shown = True
        elif self._clock() - self._status_time >= _QUIET_SECONDS:
            self._status_time = self._clock()
            self.log(text)

    def _write(self, text: str) -> None:
        self._stream.write("\r\x1b[K" + text if self._status_shown else text)
        self._stream.flush()
        self._status_shown = False
