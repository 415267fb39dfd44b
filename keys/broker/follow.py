"""Follows mosquitto's log while it grows, and keeps a file of metrics of what the broker refused, for a collector of text files.

Guarantees that a log that is cut short or replaced, as by logrotate, is followed all the same, and that the file is whole at any time.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import BinaryIO

from keys import private_files
from keys.broker.refused import Refused
from keys.error import KeysError
from program import logs

SECONDS = 10.0
_PORTION = 1 << 20
"""So many bytes are read at once: a log may be large when it is first looked at."""

_log = logs.get(__name__)


def follow(log: Path, metrics: Path, stopping: Event, seconds: float = SECONDS) -> None:
    """Looks every so often, until it is stopped. Raises KeysError for a metrics file that cannot be written at first."""
    refused, lines = Refused(), _Lines(log)
    _write(metrics, refused)
    while not stopping.is_set():
        before = refused.counted.total()
        refused.add(lines.new())
        if refused.counted.total() != before:
            try:
                _write(metrics, refused)
            except KeysError as error:
                _log.error("it is tried again once more is refused: %s", error)
        stopping.wait(seconds)


def _write(metrics: Path, refused: Refused) -> None:
    private_files.write(metrics, "".join(refused.exposition()).encode(), private_files.PUBLIC_MODE)


class _Lines:
    """Reads whole lines that a file has more than at the last look."""

    def __init__(self, log: Path) -> None:
        self._log, self._rest = log, b""
        self._file: BinaryIO | None = None

    def new(self) -> Iterator[str]:
        if self._file and self._file.tell() > os.fstat(self._file.fileno()).st_size:
            self._file.seek(0)
            self._rest = b""
        yield from self._read()
        if self._file is None or self._is_replaced(self._file):
            self._open()
            yield from self._read()

    def _read(self) -> Iterator[str]:
        while self._file and (portion := self._file.read(_PORTION)):
            *whole, self._rest = (self._rest + portion).split(b"\n")
            yield from (line.decode(errors="replace") for line in whole)

    def _open(self) -> None:
        if self._file:
            self._file.close()
        try:
            self._file, self._rest = self._log.open("rb"), b""
        except OSError as error:
            self._file = None
            _log.warning("%s cannot be read: %s", self._log, error.strerror)

    def _is_replaced(self, file: BinaryIO) -> bool:
        try:
            return not os.path.samestat(self._log.stat(), os.fstat(file.fileno()))
        except OSError:
            return False
