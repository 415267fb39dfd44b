"""Keeps the last warnings and errors that the gateway has logged."""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass

from program import logs

MOST, _SHORTENED = 20, 300


@dataclass(frozen=True, slots=True)
class Logged:
    """Holds one record: its time in microseconds since 1970, its level and the sentence."""

    time_us: int
    level: str
    sentence: str


class LogTail(logging.Handler):
    """Usage: `tail.listen()`, `tail.last()` by any thread, `tail.stop()`."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._kept = deque[Logged](maxlen=MOST)

    def listen(self) -> None:
        logging.getLogger(logs.PREFIX).addHandler(self)

    def stop(self) -> None:
        logging.getLogger(logs.PREFIX).removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        self._kept.append(Logged(int(record.created * 1e6), record.levelname.lower(), record.getMessage()[:_SHORTENED]))

    def last(self) -> list[Logged]:
        """Returns the records, newest first."""
        self.acquire()
        try:
            return [*reversed(self._kept)]
        finally:
            self.release()
