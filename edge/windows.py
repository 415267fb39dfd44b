"""Sorts readings into tumbling event-time windows per device. Pure: time is passed in, microseconds since 1970.

When a window closes is decided once, when it opens: it is `due` at its end, later by what its device's clock is behind, and the watermark
is `now - grace`. Both are counted on an axis of their own, which is the clock's as long as nobody sets that one back: the axis never goes
back, whatever the clock does, so a jump ahead makes nothing late once the clock is right again, and no window waits for a far year.
A reading whose window is over is not lost: it goes into a late window, which the next `advance` closes.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec
import zstandard

from edge.device_clocks import DeviceClocks
from edge.reading import Reading
from edge.store.section import Section


class WindowedReadings(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Holds readings of one interval, as the journal stores them: a replay puts them into it again, whatever has changed since."""

    window_seconds: int
    late: bool
    readings: list[Reading]


@dataclass(slots=True)
class Window:
    """Holds the readings of one device in one interval, in the order of the journal: many are packed, at a tenth of the memory."""

    device_id: str
    start_us: int
    seconds: int
    late: bool
    _latest: list[Reading] = field(default_factory=list)
    _packed: list[bytes] = field(default_factory=list)
    _packed_readings: int = 0
    inputs: Mapping[str, float] = field(default_factory=dict)
    """What its states and counters give a model, once it is summarised."""

    @property
    def end_us(self) -> int:
        return self.start_us + self.seconds * 1_000_000

    def add(self, reading: Reading) -> int:
        """Returns by how many bytes it has become larger, about."""
        self._latest.append(reading)
        return READING_BYTES + (self.pack() if len(self._latest) >= PACKED_TOGETHER else 0)

    def pack(self) -> int:
        """Packs what is not packed yet; returns by how many bytes it has become larger, which is below nought."""
        # A copy: zstandard's own lies in a block of the memory that the readings had before.
        packed = bytes(memoryview(_compress(_encoder.encode(self._latest))))
        unpacked, self._latest = len(self._latest), []
        self._packed.append(packed)
        self._packed_readings += unpacked
        return len(packed) + _PACK_BYTES - READING_BYTES * unpacked

    def readings(self) -> list[Reading]:
        """Returns them all; what is packed is unpacked with each call."""
        return [*(reading for part in self._packed for reading in _readings_decoder.decode(_decompress(part))), *self._latest]

    def __len__(self) -> int:
        return self._packed_readings + len(self._latest)

    @property
    def memory(self) -> int:
        """Says about how much memory it takes."""
        return _WINDOW_BYTES + sum(map(len, self._packed)) + _PACK_BYTES * len(self._packed) + READING_BYTES * len(self._latest)

    @property
    def has_several(self) -> bool:
        """Says whether more than one reading is not packed."""
        return len(self._latest) > 1

    def parts(self, most_ranges: int) -> Iterator[Window]:
        """Yields windows of the same interval with its readings, the numbers of each within so many ranges: itself, if that is enough.

        What the parts are summarised to adds up to what the whole is. Readings without a number are in the first.
        """
        if len(self) <= most_ranges:
            yield self
            return
        part, ranges, last = list[Reading](), 0, _NO_NUMBER
        for reading in sorted(self.readings(), key=lambda reading: _NO_NUMBER if reading.seq is None else reading.seq):
            number = _NO_NUMBER if reading.seq is None else reading.seq
            begins = number > last + 1
            if begins and ranges == most_ranges:
                yield self._of(part)
                part, ranges = [], 0
            part.append(reading)
            ranges, last = ranges + begins, number
        yield self._of(part)

    def pieces(self, most: int) -> Iterator[Window]:
        """Yields windows of the same interval with at most so many of its readings: itself, if that is enough."""
        if len(self) <= most:
            yield self
            return
        readings = self.readings()
        yield from (self._of(readings[at : at + most]) for at in range(0, len(readings), most))

    def _of(self, readings: list[Reading]) -> Window:
        return Window(self.device_id, self.start_us, self.seconds, self.late, readings)


_NO_NUMBER = -2


class _WindowedReading(msgspec.Struct, array_like=True):
    """Was the body of a journal row in stores of version 1."""

    window_seconds: int
    late: bool
    reading: Reading


_PACKED_AGAIN_BYTES = 4 << 20
PACKED_TOGETHER = 64
"""A window of a minute at 1 Hz has fewer readings: packing, 3 us a reading, is for floods."""
READING_BYTES, _PACK_BYTES, _WINDOW_BYTES = 600, 50, 600
"""What a reading takes that is not packed, and what a pack and a window take besides, measured; about."""
_compress, _decompress = zstandard.ZstdCompressor(level=1).compress, zstandard.ZstdDecompressor().decompress
_encoder = msgspec.msgpack.Encoder()
_readings_decoder = msgspec.msgpack.Decoder(list[Reading])
_decoder, _version_1_decoder = msgspec.msgpack.Decoder(WindowedReadings), msgspec.msgpack.Decoder(_WindowedReading)


def pack(windowed: WindowedReadings) -> bytes:
    return _encoder.encode(windowed)


def unpack(body: bytes) -> WindowedReadings:
    """Reads the body of a journal row, of version 1 too. Raises msgspec.DecodeError."""
    try:
        return _decoder.decode(body)
    except msgspec.ValidationError:
        row = _version_1_decoder.decode(body)
        return WindowedReadings(row.window_seconds, row.late, [row.reading])


def _end(event_us: int, length_us: int) -> int:
    return event_us - event_us % length_us + length_us


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
