"""Waiting for what another process or thread does, with an end."""

from __future__ import annotations

import time
from collections.abc import Callable


def eventually(holds: Callable[[], bool], seconds: float = 60.0, every: float = 0.02) -> bool:
    """Whether it came true in time. What costs the processor something to look at is looked at less often: `every` so many seconds."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(every)
    return True
