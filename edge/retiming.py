"""Puts the times of readings right that came before the gateway knew the time, once it does. Pure; the journal's rows stay as they are.

What came since the machine's boot is off by one and the same step, by its steady clock. The step is written down for the rows it concerns,
and applied whenever they are read: so a restart changes nothing.
"""

from __future__ import annotations

import msgspec

from edge.reading import Reading
from edge.store.section import Sections
from edge.window import WindowedReadings
from schemas.records import TimeQuality

_KNOWN = (TimeQuality.SYNCED, TimeQuality.CORRECTED)
_BOOT = "boot"


class _Step(msgspec.Struct, frozen=True, array_like=True):
    """Says by how much the rows with ids above `after` and up to `upto` are too early."""

    after: int
    upto: int
    step_us: int
    quality: str


class Retiming:
    """Usage: `retiming.begin(boot, last_id)`, `retiming.note(...)` with each step, `retiming.applied(id, windowed)` to each row.

    The section must be committed before what `applied` returns is believed.
    """

    def __init__(self, section: Sections) -> None:
        self.section = section("retiming")
        packed = self.section.get()
        self._steps = msgspec.msgpack.decode(packed, type=list[_Step]) if packed else []
        self._boot, self._first = _unpack(self.section.get(_BOOT))
        self.is_due = False
        """A step is not applied yet."""

    def begin(self, boot: str, last_id: int) -> None:
        """Notes that the machine's boot is this: by how much the rows up to this id are off, no clock of it says."""
        if boot != self._boot:
            self._boot, self._first = boot, last_id
            self.section.set(_BOOT, f"{boot} {last_id}".encode())

    def note(self, step_us: int, quality: TimeQuality, last_id: int) -> None:
        """Notes a step after which the clock is of this quality. What came up to the id is as sure as that, at the most corrected."""
        if last_id > self._first:
            corrected = TimeQuality.CORRECTED if quality == TimeQuality.SYNCED else quality
            self._set([*self._steps, _Step(self._first, last_id, step_us, corrected)])
            self.is_due = True

    def applied(self, journal_id: int, windowed: WindowedReadings) -> WindowedReadings:
        """Returns the readings of a row with their times put right."""
        for step in self._steps:
            if step.after < journal_id <= step.upto:
                readings = [_retimed(reading, step) for reading in windowed.readings]
                windowed = WindowedReadings(windowed.window_seconds, windowed.late, readings)
        return windowed

    def forget(self, oldest: int | None) -> None:
        """Forgets the steps that no row of the journal needs any more; `oldest` is the first that it holds."""
        steps = [step for step in self._steps if oldest is not None and step.upto >= oldest]
        if len(steps) < len(self._steps):
            self._set(steps)

    def _set(self, steps: list[_Step]) -> None:
        self._steps = steps
        self.section.set("", msgspec.msgpack.encode(steps) if steps else None)


def _retimed(reading: Reading, step: _Step) -> Reading:
    if reading.time_quality in _KNOWN:
        return reading
    event_us = reading.event_us if reading.sensor_time else reading.event_us + step.step_us
    arrived_us = reading.arrived_us + step.step_us
    quality = TimeQuality.ESTIMATED if reading.may_be_old else step.quality
    return msgspec.structs.replace(reading, event_us=event_us, arrived_us=arrived_us, time_quality=quality)


def _unpack(packed: bytes | None) -> tuple[str, int]:
    boot, _, first = (packed or b" 0").decode().rpartition(" ")
    return boot, int(first)
