"""Reads this machine's clocks: the time, the seconds since it booted, and what the kernel knows of its synchronisation. No judgement."""

from __future__ import annotations

import ctypes
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

_UNSYNCHRONISED = 0x0040
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class ClockReading:
    """Holds what the clocks said at one moment. `steady` is since the boot of that name: nobody sets it, and it counts sleep too."""

    wall: datetime
    steady: timedelta
    boot: str
    is_synced: bool | None
    """By the kernel; None if it does not say."""


def read() -> ClockReading:
    """Reads all clocks. A process is a boot of its own where the kernel names none."""
    status = kernel_status()
    return ClockReading(now(), timedelta(seconds=_steady()), boot_id(), None if status is None else not status & _UNSYNCHRONISED)


def now() -> datetime:
    """Returns the time, UTC."""
    return datetime.now(UTC)


def kernel_status() -> int | None:
    """Returns the status bits of adjtimex(2), None where there is none."""
    try:
        library = _library()
        timex = (ctypes.c_byte * 512)()
        if library.adjtimex(timex) < 0:
            return None
    except (OSError, AttributeError):
        return None
    # struct timex: modes, offset, freq, maxerror, esterror, status; the first and last are int, the others long.
    offset = 5 * ctypes.sizeof(ctypes.c_long)
    return ctypes.c_int.from_buffer(timex, offset).value


@cache
def boot_id(file: Path = _BOOT_ID) -> str:
    """Names this start of the machine."""
    with suppress(OSError):
        return file.read_text().strip()
    return f"process-{time.time_ns()}"


def _steady() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


@cache
def _library() -> ctypes.CDLL:
    """Is opened once: the loop asks every second."""
    return ctypes.CDLL(None, use_errno=True)
