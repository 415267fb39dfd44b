"""Sorts readings into tumbling event-time windows per device. Pure: time is passed in, microseconds since 1970.

The watermark is the latest `now - grace` ever passed to `advance`: it never goes back. A window closes when the watermark reaches
its end. A reading of a window already closed is not lost: it goes into a late window, which the next `advance` closes.
Debt: after a clock that jumped far ahead everything is late, hence summarised but not scored, until time has caught up.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import msgspec
import zstandard

from edge.reading import Reading


class WindowedReadings(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Holds readings of one interval, as the journal stores them: a replay puts them into it again, whatever has changed since."""

    window_seconds: int
    late: bool
    readings: list[Reading]

    @property
    def window_end_us(self) -> int:
        return _end(self.readings[0].event_us, self.window_seconds * 1_000_000)


@dataclass(slots=True)
class Window:
    """Holds the readings of one device in one interval, in the order of the journal: many are packed, at a tenth of the memory."""

    device_id: str
    start_us: int
    seconds: int
    late: bool
    _latest: list[Reading] = field(default_factory=list)
    _packed: list[bytes] = field(default_factory=list)

    @property
    def end_us(self) -> int:
        return self.start_us + self.seconds * 1_000_000

    def add(self, reading: Reading) -> None:
        self._latest.append(reading)
        if len(self._latest) >= PACKED_TOGETHER:
            # A copy: zstandard's own lies in a block of the memory that the readings had before.
            self._packed.append(bytes(memoryview(_compress(_encoder.encode(self._latest)))))
            self._latest = []

    def readings(self) -> list[Reading]:
        """Returns them all; what is packed is unpacked with each call."""
        return [*(reading for part in self._packed for reading in _readings_decoder.decode(_decompress(part))), *self._latest]

    def __len__(self) -> int:
        return len(self._packed) * PACKED_TOGETHER + len(self._latest)

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

    def _of(self, readings: list[Reading]) -> Window:
        return Window(self.device_id, self.start_us, self.seconds, self.late, readings)


_NO_NUMBER = -2


class _WindowedReading(msgspec.Struct, array_like=True):
    """Was the body of a journal row in stores of version 1."""

    window_seconds: int
    late: bool
    reading: Reading


PACKED_TOGETHER = 64
"""A window of a minute at 1 Hz has fewer readings: packing, 3 us a reading, is for floods."""
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


class Windows:
    """Keeps all open windows of a gateway.

    Usage: `windows.add(windowed, windowed.window_end_us)`, then `for window in windows.advance(now_us): ...`.
    """

    def __init__(self, seconds: int, grace_seconds: int, watermark_us: int) -> None:
        self._seconds, self._grace_us = seconds, grace_seconds * 1_000_000
        self._open: dict[tuple[int, str, bool, int], Window] = {}
        self.watermark_us = watermark_us

    def assign(self, readings: Sequence[Reading]) -> list[WindowedReadings]:
        """Puts readings into their intervals, late ones by the watermark of now; oldest interval first."""
        length, by_end = self._seconds * 1_000_000, defaultdict[int, list[Reading]](list)
        for reading in readings:
            by_end[_end(reading.event_us, length)].append(reading)
        return [WindowedReadings(self._seconds, end <= self.watermark_us, by_end[end]) for end in sorted(by_end)]

    def add(self, windowed: WindowedReadings, end_us: int) -> None:
        """Puts readings into their open windows. `end_us` is their window_end_us."""
        for reading in windowed.readings:
            key = (end_us, reading.device_id, windowed.late, windowed.window_seconds)
            window = self._open.get(key)
            if window is None:
                start = end_us - windowed.window_seconds * 1_000_000
                window = self._open[key] = Window(reading.device_id, start, windowed.window_seconds, windowed.late)
            window.add(reading)

    def advance(self, now_us: int) -> Sequence[Window]:
        """Moves the watermark and returns the windows that it closes, oldest first."""
        self.watermark_us = max(self.watermark_us, now_us - self._grace_us)
        closed = sorted(key for key in self._open if key[0] <= self.watermark_us)
        return [self._open.pop(key) for key in closed]

    def seconds_to_close(self, now_us: int) -> float:
        """Says when `advance` has a window to close; infinity if none is open, below nought if one is due."""
        return (min(self._open)[0] + self._grace_us - now_us) / 1e6 if self._open else math.inf

    def __len__(self) -> int:
        return len(self._open)
