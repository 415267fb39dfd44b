"""Lets Ctrl-C and SIGTERM end the watching of a job, never the job, and nothing in the middle of its launch."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any


class Interrupts:
    """Remembers that somebody asked to stop: `with Interrupts(say) as interrupts: interrupts.pause(5.0)`."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._asked = threading.Event()
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Interrupts:
        self._before = {number: signal.signal(number, self._ask) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @property
    def asked(self) -> bool:
        return self._asked.is_set()

    def pause(self, seconds: float) -> bool:
        """Waits; returns at once, and true, when somebody asked to stop."""
        return self._asked.wait(seconds)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self._asked.set()
        self._say("asked to stop: the job is not touched")
