"""Judges what time it is, by all that the machine's clocks say: no decision that cannot be undone rests on a clock that is not known.

The time goes on by the steady clock. A wall clock that leaves it is followed once that is confirmed: by the kernel, which says that it is
synchronised, after a few seconds; else when it has stayed there for ten minutes, not before what was known, and most sensors do not
say that the time is right as it is. Until then it is a jump, and nobody sees it. What a known clock said last is remembered over a
restart: the time is never before that, and in the same boot it goes on from there. Where it is too early for certain, or was not known
since the boot and is a day behind sensors that agree, these put it right. Pure: clocks are passed in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from logging import INFO, WARNING

import msgspec

from edge.clock import ClockReading
from edge.store.section import Sections
from program import logs
from schemas.envelope import from_micros, micros
from schemas.records import TimeQuality

_SOFTWARE_WRITTEN = datetime(2026, 1, 1, tzinfo=UTC)
_SLEW, _LARGEST_SLEW, _JITTER = 0.1, timedelta(seconds=5), timedelta(seconds=0.25)
"""A clock that runs so much faster or slower, or differs so little, is being slewed, or the process was held up between two clocks."""
SMALL_STEP, SYNCED_LASTS, UNSYNCED_LASTS = timedelta(minutes=1), timedelta(seconds=10), timedelta(minutes=10)
SETTLING, LOST = timedelta(minutes=3), timedelta(hours=1)
"""After a boot readings without a time of their own wait so long for the clock: where it may be right, where it is wrong for certain."""
ZONES, ASKED_EVERY = timedelta(days=1), timedelta(seconds=10)
"""Sensors that are less than a day ahead may say the time of another zone."""
_KEPT_EVERY_US = 600_000_000
_NONE = timedelta()

SensorsOffset = Callable[[datetime], timedelta | None]
"""Says, of a time, how much later than dated the readings of most sensors come."""

_log = logs.get(__name__)


def _silent(_time: datetime) -> None:
    """No sensor says anything."""


@dataclass(frozen=True, slots=True)
class Moment:
    """Holds what time it is, and how sure that is. `boot` names the start of the machine on whose steady clock it rests."""

    time: datetime
    quality: TimeQuality = TimeQuality.SYNCED
    boot: str = ""
    step: timedelta = _NONE
    """By so much the time was put right just now: so much too early is what came since the boot."""
    wait: timedelta = _NONE
    """So long a reading without a time of its own may wait for the clock to be known."""


class _Kept(msgspec.Struct, frozen=True, array_like=True):
    """Is what the store remembers: the time at a moment of a boot, and the latest time that was known."""

    boot: str
    time_us: int
    steady_us: int
    is_wrong: bool
    known_us: int
    was_known: bool = False
    """The clock was known in this boot."""


@dataclass(frozen=True, slots=True)
class _Doubt:
    """Holds how far the wall clock is from the time, and since when by the steady clock."""

    deviation: timedelta
    since: timedelta


class Timekeeper:
    """Is asked at every turn: `moment = timekeeper.note(clock.read())`. The section may be committed by any cut."""

    def __init__(self, section: Sections, first: ClockReading) -> None:
        self.section = section("clock")
        packed = self.section.get()
        self._kept = msgspec.msgpack.decode(packed, type=_Kept) if packed else None
        self._known_us = self._kept.known_us if self._kept else micros(_SOFTWARE_WRITTEN)
        self._doubt: _Doubt | None = None
        self._boot, self._asked = first.boot, first.steady - ASKED_EVERY
        self._was_known = self._is_by_sensors = False
        self._quality_before: TimeQuality | None = None
        if self._kept and self._kept.boot == first.boot:
            self._time, self._steady = from_micros(self._kept.time_us), timedelta(microseconds=self._kept.steady_us)
            self._is_wrong, self._was_known = self._kept.is_wrong, self._kept.was_known
        else:
            earliest = from_micros(self._known_us)
            self._is_wrong = not first.is_synced and first.wall < earliest
            self._time, self._steady = earliest if self._is_wrong else first.wall, first.steady
        if self._is_wrong:
            _log.warning(
                "the clock says %s, and it was %s before: readings are marked as untrusted until it is set", first.wall, self._time
            )

    def note(self, reading: ClockReading, sensors_offset: SensorsOffset = _silent) -> Moment:
        """Returns the time at the moment of these clocks. What sensors say is only asked for if it matters."""
        elapsed = reading.steady - self._steady
        self._time, self._steady = self._time + elapsed, reading.steady
        deviation, step = reading.wall - self._time, _NONE
        if abs(deviation) <= _JITTER + min(_SLEW * abs(elapsed), _LARGEST_SLEW):
            self._time, self._doubt, self._is_wrong, self._is_by_sensors = reading.wall, None, False, False
        elif self._is_confirmed(deviation, reading, sensors_offset):
            _log.warning("the clock was put right by %s: it is %s", deviation, reading.wall)
            self._time, self._doubt, self._is_wrong, self._is_by_sensors = reading.wall, None, False, False
            step = deviation
        if not (reading.is_synced or self._was_known or step):
            step = self._step_by_sensors(sensors_offset)
        quality = self._quality(reading)
        self._note_quality(quality)
        self._keep(quality)
        return Moment(self._time, quality, self._boot, step, self._wait(quality, reading))

    def _is_confirmed(self, deviation: timedelta, reading: ClockReading, sensors_offset: SensorsOffset) -> bool:
        if self._doubt is None or abs(deviation - self._doubt.deviation) > _JITTER + _SLEW * abs(reading.steady - self._doubt.since):
            self._doubt = _Doubt(deviation, reading.steady)
            if abs(deviation) > SMALL_STEP:
                _log.warning("the clock jumped by %s: that is not followed unless it lasts", deviation)
        lasted = reading.steady - self._doubt.since
        if reading.is_synced:
            return abs(deviation) <= SMALL_STEP or lasted >= SYNCED_LASTS
        if lasted < UNSYNCED_LASTS or micros(reading.wall) < self._known_us or self._is_by_sensors:
            return False
        offset = sensors_offset(self._time)
        return offset is None or abs(offset) > SMALL_STEP

    def _step_by_sensors(self, sensors_offset: SensorsOffset) -> timedelta:
        """Lets sensors put the time right; returns by how much."""
        if self._steady - self._asked < ASKED_EVERY:
            return _NONE
        self._asked = self._steady
        behind = -(sensors_offset(self._time) or _NONE)
        if behind < (SMALL_STEP if self._is_wrong else ZONES):
            return _NONE
        self._time, self._is_wrong, self._is_by_sensors = self._time + behind, False, True
        _log.warning("the clock is not known, and sensors agree that it is %s behind: it is taken to be %s", behind, self._time)
        return behind

    def _quality(self, reading: ClockReading) -> TimeQuality:
        if self._is_wrong:
            return TimeQuality.UNTRUSTED
        return TimeQuality.SYNCED if reading.is_synced and not self._doubt else TimeQuality.ESTIMATED

    def _note_quality(self, quality: TimeQuality) -> None:
        self._was_known = self._was_known or quality == TimeQuality.SYNCED
        if quality != self._quality_before:
            _log.log(INFO if quality == TimeQuality.SYNCED else WARNING, "it is %s; the clock is %s", self._time, quality)
        self._quality_before = quality

    def _wait(self, quality: TimeQuality, reading: ClockReading) -> timedelta:
        if quality == TimeQuality.SYNCED or reading.is_synced is None:
            return _NONE
        return max((LOST if quality == TimeQuality.UNTRUSTED else SETTLING) - reading.steady, _NONE)

    def _keep(self, quality: TimeQuality) -> None:
        """Writes down what a restart must know, but not at every turn."""
        time_us, steady_us = micros(self._time), self._steady // timedelta(microseconds=1)
        if quality == TimeQuality.SYNCED:
            # Not the latest: a clock that was known may have been wrong all the same, and knows better now.
            self._known_us = time_us
        kept = _Kept(self._boot, time_us, steady_us, self._is_wrong, self._known_us, self._was_known)
        if self._kept is None or self._is_news(kept, self._kept):
            self._kept = kept
            self.section.set("", msgspec.msgpack.encode(kept))

    @staticmethod
    def _is_news(kept: _Kept, before: _Kept) -> bool:
        drift = (kept.time_us - before.time_us) - (kept.steady_us - before.steady_us)
        is_same = (kept.boot, kept.is_wrong, kept.was_known) == (before.boot, before.is_wrong, before.was_known)
        return not is_same or abs(drift) > 1_000_000 or abs(kept.known_us - before.known_us) > _KEPT_EVERY_US
