"""Holds the readings of one device in one interval, and the rows of the journal that they come from.

Many readings are packed: a flood takes a fifth of the memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import msgspec
import zstandard

from edge.reading import Reading


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
        """Returns by how many bytes it has become larger, about, beside READING_BYTES."""
        self._latest.append(reading)
        return self.pack() if len(self._latest) >= PACKED_TOGETHER else 0

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
