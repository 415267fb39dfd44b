"""Reads a connection by a deadline and up to a number of bytes, however slowly they come: a sender that trickles is not waited for."""

from __future__ import annotations

import io
import socket
import time


class TooMany(OSError):
    """More bytes came than there may be."""


class TimedReader(io.RawIOBase):
    """Is what a buffered reader reads from. Usage: `reader.allow(seconds, size)`, then read; raises TimeoutError or TooMany."""

    def __init__(self, connection: socket.socket) -> None:
        super().__init__()
        self._connection = connection
        self._until, self._left = 0.0, 0

    def allow(self, seconds: float, size: int) -> None:
        """Allows so many bytes more, within so many seconds from now."""
        self._until, self._left = time.monotonic() + seconds, size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        seconds = self._until - time.monotonic()
        if seconds <= 0:
            raise TimeoutError
        if self._left <= 0:
            raise TooMany
        self._connection.settimeout(seconds)
        count = self._connection.recv_into(buffer[: self._left])
        self._left -= count
        return count
