"""Sorts readings into tumbling event-time windows per device. Pure: time is passed in, microseconds since 1970.

When a window closes is decided once, when it opens: it is `due` at its end, later by what its device's clock is behind, and the watermark
is `now - grace`. Both are counted on an axis of their own, which is the clock's as long as nobody sets that one back: the axis never goes
back, whatever the clock does, so a jump ahead makes nothing late once the clock is right again, and no window waits for a far year.
A reading whose window is over is not lost: it goes into a late window, which the next `advance` closes.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from edge.device_clocks import DeviceClocks
from edge.reading import Reading
from edge.store.section import Section
from edge.window import READING_BYTES, Window, WindowedReadings


class DueReadings(NamedTuple):
    """Holds readings of one interval, and when their window is due on the axis of the watermark."""

    due_us: int
    windowed: WindowedReadings


class Windows:
    """Keeps all open windows of a gateway.

    Usage: `windows.add(windowed, due_us)` for each of `windows.assign(readings)`, then `for window in windows.advance(now_us): ...`.
    """

    def __init__(self, seconds: int, grace_seconds: int, watermark_us: int, axis_us: int = 0, clocks: DeviceClocks | None = None) -> None:
        """`axis_us` is by how much the axis is ahead of the clock."""
        self._seconds, self._grace_us = seconds, grace_seconds * 1_000_000
        self._open: dict[_Key, Window] = {}
        self.memory = self._packed_at = 0
        """What open windows take of memory, about."""
        self._due: dict[tuple[str, int], int] = {}
        self._clocks = clocks or DeviceClocks(Section, seconds)
        self.watermark_us, self.axis_us = watermark_us, axis_us
        self._now_us = watermark_us + self._grace_us - axis_us
        self._wait_until_us = watermark_us

    def assign(self, readings: Sequence[Reading], now_us: int | None = None) -> list[DueReadings]:
        """Puts readings into their intervals, late ones by the watermark of the last `advance`; what is due first comes first.

        `now_us` is for a clock that went back since then; a little is the order in which a caller says what time it is.
        """
        if now_us is not None and now_us < self._now_us - _LITTLE_US:
            self._go_back(now_us)
        length = self._seconds * 1_000_000
        groups = defaultdict[tuple[int, str, bool], list[Reading]](list)
        for reading in readings:
            groups[_end(reading.event_us, length), reading.device_id, reading.sensor_time].append(reading)
        rows = defaultdict[tuple[int, int], list[Reading]](list)
        for (end, device_id, sensor_time), grouped in groups.items():
            rows[self._due_us(device_id, end, grouped[0].arrived_us if sensor_time else None), end] += grouped
        return [DueReadings(due, WindowedReadings(self._seconds, due <= self.watermark_us, rows[due, end])) for due, end in sorted(rows)]

    def add(self, windowed: WindowedReadings, due_us: int) -> None:
        """Puts readings into their open windows, which are due then."""
        length = windowed.window_seconds * 1_000_000
        for reading in windowed.readings:
            end = _end(reading.event_us, length)
            key = (due_us, end, reading.device_id, windowed.late, windowed.window_seconds)
            window = self._open.get(key)
            if window is None:
                window = self._open[key] = Window(reading.device_id, end - length, windowed.window_seconds, windowed.late)
                self.memory += window.memory
                if not windowed.late and windowed.window_seconds == self._seconds:
                    self._due[reading.device_id, end] = due_us
            self.memory += window.add(reading)
        self.memory += READING_BYTES * len(windowed.readings)

    def pack(self) -> None:
        """Packs all readings, where memory is short, unless it was done a moment ago. Windows of one reading stay as they are."""
        if self.memory - self._packed_at > _PACKED_AGAIN_BYTES:
            for window in self._open.values():
                if window.has_several:
                    self.memory += window.pack()
            self._packed_at = self.memory

    def advance(self, now_us: int) -> Sequence[Window]:
        """Moves the watermark and returns the windows that it closes, oldest first."""
        self._go_back(now_us)
        self._now_us = now_us
        self.watermark_us = now_us + self.axis_us - self._grace_us
        closed = sorted(key for key in self._open if key[0] <= self.watermark_us)
        for due, end, device_id, *_ in closed:
            if self._due.get((device_id, end)) == due:
                del self._due[device_id, end]
        windows = [self._open.pop(key) for key in closed]
        self.memory -= sum(window.memory for window in windows)
        self._packed_at = min(self._packed_at, self.memory)
        return windows

    def step(self, step_us: int) -> None:
        """Follows a clock that was put right: nothing is due earlier or later for it."""
        self._now_us += step_us
        self.axis_us -= step_us
        self._clocks.shift(step_us)

    def wait(self, wait_us: int) -> None:
        """Lets no reading without a time of its own be due before so long from now, for the clock may be known then.

        The end of waiting counts: one that differs by little is the same, so that all that waits is due together.
        """
        until = self._now_us + self.axis_us + wait_us
        if not wait_us or abs(until - self._wait_until_us) > _SAME_WAIT_US:
            self._wait_until_us = until if wait_us else self.watermark_us

    def clear(self) -> None:
        """Forgets what is open: it will be added again."""
        self._open.clear()
        self._due.clear()
        self.memory = self._packed_at = 0

    def is_over(self, device_id: str, end_us: int) -> bool:
        """Says whether no window of the device that ends then is to come; one far ahead of the clock is of a clock that was wrong."""
        end_us += self._clocks.offset_us(device_id)
        return end_us + self.axis_us <= self.watermark_us or end_us > self._now_us + _FAR_US

    def seconds_to_close(self, now_us: int) -> float:
        """Says when `advance` has a window to close; infinity if none is open, below nought if one is due."""
        return (min(self._open)[0] + self._grace_us - self.axis_us - now_us) / 1e6 if self._open else math.inf

    def last_due_time(self) -> int | None:
        """Returns at which time `advance` closes the last of the windows that are open, None if none is."""
        return max(self._open)[0] + self._grace_us - self.axis_us if self._open else None

    def _go_back(self, now_us: int) -> None:
        """Stands still where the clock goes back."""
        if now_us < self._now_us:
            self.axis_us += self._now_us - now_us
            self._now_us = now_us

    def _due_us(self, device_id: str, end_us: int, arrived_us: int | None) -> int:
        """Returns when the window is due: an open one is, whatever was learned meanwhile, at the time that the journal knows.

        `arrived_us` is of a reading with a time of its own.
        """
        due = self._due.get((device_id, end_us), self.watermark_us)
        if due > self.watermark_us and (arrived_us is not None or due >= self._wait_until_us):
            return due
        due = end_us + self.axis_us
        if arrived_us is None:
            return max(due, self._wait_until_us)
        due += self._clocks.offset_us(device_id)
        soon = arrived_us + self.axis_us + self._seconds * 1_000_000
        return due if due <= soon + _AHEAD_US else soon

    def __len__(self) -> int:
        return len(self._open)


_Key = tuple[int, int, str, bool, int]
"""Due, end, device, late, and length in seconds."""
_FAR_US = 86_400_000_000
_SAME_WAIT_US = _LITTLE_US = 60_000_000
_AHEAD_US = 600_000_000
"""A window that would be due later than that is of a clock that was set, the device's or the gateway's: nobody waits for it so long."""
_PACKED_AGAIN_BYTES = 4 << 20


def _end(event_us: int, length_us: int) -> int:
    return event_us - event_us % length_us + length_us
