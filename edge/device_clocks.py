"""Learns how far the clock of each device is from the gateway's, so that its windows are as long in coming. Pure; bounded.

The offset of a device is the median of its last ones: how much later than dated its freshest reading came, once in a quarter of a window.
What a device or a broker kept for a while and sends in one go moves nothing: its times pass faster than the clock, or its freshest reading
is no older than the pauses between those that come together. Before a device was heard its first readings say what its offset is. Within
RIGHT_SECONDS a clock is right: that is what windows.grace_seconds is for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import msgspec

from edge.reading import Reading
from edge.store.section import Sections
from schemas.records import TimeQuality

RIGHT_SECONDS = 30
OFFSETS_REMEMBERED = 5
DEVICES_REMEMBERED = 10_000
_STEP_US = 1_000_000
"""Offsets are counted in such steps, upwards."""
_SAME_STEPS = 5
"""An offset that is less by so few steps is the same: a steady clock costs no writes, and a window waits a little longer than it must."""
_LATELY_US, _CATCHING_UP_US = 900_000_000, 10_000_000
_KNOWN = (TimeQuality.SYNCED, TimeQuality.CORRECTED)


@dataclass(slots=True)
class _Clock:
    """Holds the last offsets of a device in steps, the time of the reading that the last of them is of, and when that came."""

    steps: list[int] = field(default_factory=list)
    event_us: int = 0
    arrived_us: int = 0

    @property
    def last_us(self) -> int:
        """Returns the last offset."""
        return self.arrived_us - self.event_us


class DeviceClocks:
    """Knows offsets by device. Usage: `clocks.note(readings)`, then `clocks.offset_us(device_id)`.

    Some cut must commit the section; what is lost with the process is learned anew.
    """

    def __init__(self, section: Sections, window_seconds: int) -> None:
        self.section = section("device_clocks")
        self._apart_us = window_seconds * 250_000
        self._clocks = {device: _Clock(_unpack(packed)) for device, packed in self.section.items().items()}

    def offset_us(self, device_id: str) -> int:
        """Returns how much later than dated the device's readings come, below nought if they are dated ahead; 0 if its clock is right."""
        clock = self._clocks.get(device_id)
        return _median(clock.steps) * _STEP_US if clock and clock.steps else 0

    def common_us(self, now_us: int) -> int | None:
        """Returns the offset that most devices share which were heard lately, at least two of them; None if no such offset is there."""
        lately = sorted(clock.last_us for clock in self._clocks.values() if 0 <= now_us - clock.arrived_us <= _LATELY_US)
        if not lately:
            return None
        middle = lately[len(lately) // 2]
        agreeing = sum(abs(each - middle) <= RIGHT_SECONDS * 1_000_000 for each in lately)
        return middle if agreeing >= 2 and 2 * agreeing > len(lately) else None

    def note(self, readings: Sequence[Reading]) -> None:
        """Learns from readings as they come. What they say while the gateway's own clock is not known is forgotten with the process."""
        timed = defaultdict[str, list[Reading]](list)
        for reading in readings:
            if reading.sensor_time and not self._is_soon(reading):
                timed[reading.device_id].append(reading)
        for device_id, together in timed.items():
            self._note(device_id, max(together, key=_event_us), _longest_pause_us(together))

    def shift(self, step_us: int) -> None:
        """Follows a step of the gateway's clock: what was so far behind it is behind it by so much more."""
        for clock in self._clocks.values():
            clock.steps = [each + round(step_us / _STEP_US) for each in clock.steps]
            clock.arrived_us += step_us

    def _is_soon(self, reading: Reading) -> bool:
        """Says whether it came so soon after another of its device that it says nothing new."""
        clock = self._clocks.get(reading.device_id)
        return clock is not None and 0 <= reading.arrived_us - clock.arrived_us < self._apart_us

    def _note(self, device_id: str, reading: Reading, pause_us: int) -> None:
        clock = self._clocks.pop(device_id, None) or _Clock()
        self._clocks[device_id] = clock
        passed, waited = reading.event_us - clock.event_us, reading.arrived_us - clock.arrived_us
        is_catching_up = clock.arrived_us and waited >= 0 and passed > 2 * waited + _CATCHING_UP_US
        clock.event_us, clock.arrived_us = reading.event_us, reading.arrived_us
        if not is_catching_up:
            offset_us = reading.arrived_us - reading.event_us
            step = 0 if 0 < offset_us <= pause_us else _step(offset_us, *clock.steps[-1:])
            clock.steps = [*clock.steps, step][-OFFSETS_REMEMBERED:]
            self._keep(device_id, clock.steps, reading.time_quality)
        if len(self._clocks) > DEVICES_REMEMBERED:
            self._forget(next(iter(self._clocks)))

    def _keep(self, device_id: str, steps: list[int], quality: str) -> None:
        """Notes what a restart must know, also that a clock is right: else one late reading would say what its offset is."""
        packed = msgspec.msgpack.encode(steps) if any(steps) or len(steps) == OFFSETS_REMEMBERED else None
        if quality in _KNOWN and self.section.get(device_id) != packed:
            self.section.set(device_id, packed)

    def _forget(self, device_id: str) -> None:
        del self._clocks[device_id]
        if self.section.get(device_id) is not None:
            self.section.set(device_id, None)


def _step(offset_us: int, before: int = 0) -> int:
    """Counts an offset in steps; one that `before` covers nearly as well is that, or a clock between two steps were now this, now that."""
    if abs(offset_us) <= RIGHT_SECONDS * 1_000_000:
        return 0
    step = -(-offset_us // _STEP_US)
    return before if before and 0 <= before - step <= _SAME_STEPS else step


def _event_us(reading: Reading) -> int:
    return reading.event_us


def _longest_pause_us(readings: Sequence[Reading]) -> int:
    """Returns the longest time between two readings that follow each other; 0 for a single one."""
    times = sorted(map(_event_us, readings)) if len(readings) > 1 else ()
    return max((later - earlier for earlier, later in pairwise(times)), default=0)


def _median(steps: Sequence[int]) -> int:
    """Returns the middle one; of two in the middle the one nearer to nought, for a single offset proves little."""
    ordered = sorted(steps)
    return min(ordered[(len(ordered) - 1) // 2], ordered[len(ordered) // 2], key=abs)


def _unpack(packed: bytes) -> list[int]:
    return msgspec.msgpack.decode(packed, type=list[int])
