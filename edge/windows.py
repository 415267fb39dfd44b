"""Readings -> tumbling event-time windows per device. Pure: time is passed in, microseconds since 1970.

The watermark is the latest `now - grace` ever passed to `advance`: it never goes back. A window closes when the watermark reaches
its end. A reading of a window already closed is not lost: it goes into a late window, which the next `advance` closes.
Debt: after a clock that jumped far ahead everything is late, hence summarised but not scored, until time has caught up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from edge.reading import Taken


class Placed(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A reading and the window it fell into, as the journal keeps it: a replay puts it there again, whatever has changed since."""

    window_seconds: int
    late: bool
    reading: Taken

    @property
    def window_end_us(self) -> int:
        length = self.window_seconds * 1_000_000
        return self.reading.event_us - self.reading.event_us % length + length


@dataclass(slots=True)
class Window:
    """The readings of one device in one interval, in the order of the journal."""

    device_id: str
    start_us: int
    seconds: int
    late: bool
    readings: list[Taken] = field(default_factory=list)

    @property
    def end_us(self) -> int:
        return self.start_us + self.seconds * 1_000_000


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Placed)


def pack(placed: Placed) -> bytes:
    return _encoder.encode(placed)


def unpack(body: bytes) -> Placed:
    """Raises msgspec.DecodeError."""
    return _decoder.decode(body)


class Windows:
    """All open windows of a gateway."""

    def __init__(self, seconds: int, grace_seconds: int, watermark_us: int) -> None:
        self._seconds, self._grace_us = seconds, grace_seconds * 1_000_000
        self._open: dict[tuple[int, str, bool, int], Window] = {}
        self.watermark_us = watermark_us

    def place(self, reading: Taken) -> Placed:
        """Where the reading belongs as of now."""
        placed = Placed(self._seconds, late=False, reading=reading)
        return Placed(self._seconds, late=True, reading=reading) if placed.window_end_us <= self.watermark_us else placed

    def add(self, placed: Placed, end_us: int) -> None:
        """`end_us` is the placed reading's window_end_us."""
        key = (end_us, placed.reading.device_id, placed.late, placed.window_seconds)
        window = self._open.get(key)
        if window is None:
            start = end_us - placed.window_seconds * 1_000_000
            window = self._open[key] = Window(placed.reading.device_id, start, placed.window_seconds, placed.late)
        window.readings.append(placed.reading)

    def advance(self, now_us: int) -> Sequence[Window]:
        """Moves the watermark and returns the windows that it closes, oldest first."""
        self.watermark_us = max(self.watermark_us, now_us - self._grace_us)
        closed = sorted(key for key in self._open if key[0] <= self.watermark_us)
        return [self._open.pop(key) for key in closed]

    def __len__(self) -> int:
        return len(self._open)
