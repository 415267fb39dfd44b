"""Exchanges packets of edge.models.protocol with a child process over its pipes, every wait bounded.

Guarantees that no call lasts longer than its timeout, whether the child does not read, does not write or stops in the middle of a
packet, and that an absurd length is refused before anything is allocated.
"""

from __future__ import annotations

import os
import select
import subprocess
import time

from edge.models.protocol import LENGTH, MAX_PACKET, packet

_CHUNK = 1 << 16


class ChildTimeout(Exception):
    """The child neither answered nor died in time."""


class PipesClosed(Exception):
    """The child is gone, or speaks nonsense."""


class Pipes:
    """Exchanges packets with one child. After an exception of `exchange` it must be closed: a packet's reply may still come."""

    def __init__(self, process: subprocess.Popen[bytes], opening: bytes) -> None:
        """`opening` is the body of the first packet, which leaves with the first `receive`."""
        if process.stdin is None or process.stdout is None:
            raise ValueError("the child needs pipes for stdin and stdout")
        self._to, self._from = process.stdin, process.stdout
        self._arrived, self._leaving = bytearray(), memoryview(packet(opening))
        for stream in (self._to, self._from):
            os.set_blocking(stream.fileno(), False)
        # Made once: one made for each wait is a third of what a window alone costs.
        self._readable, self._writable = select.poll(), select.poll()
        self._readable.register(self._from, select.POLLIN)
        self._writable.register(self._to, select.POLLOUT)

    def exchange(self, body: bytes, seconds: float) -> bytes:
        """Sends a packet and returns the body of the next one that comes. Raises ChildTimeout, PipesClosed."""
        self._leaving = memoryview(self._leaving.tobytes() + packet(body))
        return self.receive(seconds)

    def receive(self, seconds: float) -> bytes:
        """Returns the body of the next packet. Raises ChildTimeout (what came and left so far is kept), PipesClosed."""
        deadline = time.monotonic() + seconds
        self._send(deadline)
        while (body := self._take()) is None:
            _wait(self._readable, deadline)
            chunk = os.read(self._from.fileno(), _CHUNK)
            if not chunk:
                raise PipesClosed
            self._arrived += chunk
        return body

    def close(self) -> None:
        """Closes our ends. The streams are unbuffered by us, so nothing can fail to be flushed."""
        for stream in (self._to, self._from):
            stream.close()

    def _send(self, deadline: float) -> None:
        while self._leaving:
            try:
                self._leaving = self._leaving[os.write(self._to.fileno(), self._leaving[:_CHUNK]) :]
            except BlockingIOError:
                _wait(self._writable, deadline)
            except OSError as error:
                raise PipesClosed from error

    def _take(self) -> bytes | None:
        if len(self._arrived) < LENGTH.size:
            return None
        end = LENGTH.size + LENGTH.unpack_from(self._arrived)[0]
        if end > MAX_PACKET:
            raise PipesClosed
        if len(self._arrived) < end:
            return None
        body = bytes(self._arrived[LENGTH.size : end])
        del self._arrived[:end]
        return body


def _wait(poll: select.poll, deadline: float) -> None:
    """Waits for the stream, or for its end, which the next call on it says. Raises ChildTimeout."""
    if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
        raise ChildTimeout
