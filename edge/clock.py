"""Tells the time, and how far this machine's clock can be trusted, by what the kernel knows of its synchronisation."""

from __future__ import annotations

import ctypes
from datetime import UTC, datetime
from functools import cache

from schemas.records import TimeQuality

_UNSYNCHRONISED = 0x0040
_SOFTWARE_WRITTEN = datetime(2025, 1, 1, tzinfo=UTC)


def now() -> datetime:
    """Returns the time, UTC."""
    return datetime.now(UTC)


def quality(time: datetime, status: int | None) -> TimeQuality:
    """Judges the clock by `status`, the kernel's (adjtimex), None if it does not say. A time before this software existed is untrusted."""
    if time < _SOFTWARE_WRITTEN:
        return TimeQuality.UNTRUSTED
    if status is None or status & _UNSYNCHRONISED:
        return TimeQuality.ESTIMATED
    return TimeQuality.SYNCED


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
def _library() -> ctypes.CDLL:
    """Is opened once: the loop asks every second."""
    return ctypes.CDLL(None, use_errno=True)
