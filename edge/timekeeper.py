"""Judges what time it is, by all that the machine's clocks say: no decision that cannot be undone rests on a clock that is not known.

The time goes on by the steady clock. A wall clock that leaves it is followed once that is confirmed: by the kernel, which says that it is
synchronised, after a few seconds; else when it has stayed there for ten minutes and does not contradict what was known before. Until
then it is a jump, and nobody sees it. What a known clock said last is remembered over a restart: the time is never before that, and in
the same boot it goes on from there. Pure: clocks are passed in.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

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
_KEPT_EVERY_US = 600_000_000
_NONE = timedelta()

_log = logs.get(__name__)


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
        self._boot = first.boot
        if self._kept and self._kept.boot == first.boot:
            self._time, self._steady = from_micros(self._kept.time_us), timedelta(microseconds=self._kept.steady_us)
            self._is_wrong = self._kept.is_wrong
        else:
            earliest = from_micros(self._known_us)
            self._is_wrong = not first.is_synced and first.wall < earliest
            self._time, self._steady = earliest if self._is_wrong else first.wall, first.steady
        if self._is_wrong:
            _log.warning(
                "the clock says %s, and it was %s before: readings are marked as untrusted until it is set", first.wall, self._time
            )

    def note(self, reading: ClockReading) -> Moment:
        """Returns the time at the moment of these clocks."""
        elapsed = reading.steady - self._steady
        self._time, self._steady = self._time + elapsed, reading.steady
        deviation, step = reading.wall - self._time, _NONE
        if abs(deviation) <= _JITTER + min(_SLEW * abs(elapsed), _LARGEST_SLEW):
            self._time, self._doubt, self._is_wrong = reading.wall, None, False
        elif self._is_confirmed(deviation, reading):
            _log.warning("the clock was put right by %s: it is %s", deviation, reading.wall)
            self._time, self._doubt, self._is_wrong, step = reading.wall, None, False, deviation
        quality = self._quality(reading)
        self._keep(quality)
        return Moment(self._time, quality, self._boot, step, self._wait(quality, reading))

    def _is_confirmed(self, deviation: timedelta, reading: ClockReading) -> bool:
        if self._doubt is None or abs(deviation - self._doubt.deviation) > _JITTER + _SLEW * abs(reading.steady - self._doubt.since):
            self._doubt = _Doubt(deviation, reading.steady)
            if abs(deviation) > SMALL_STEP:
                _log.warning("the clock jumped by %s: that is not followed unless it lasts", deviation)
        lasted = reading.steady - self._doubt.since
        if reading.is_synced:
            return abs(deviation) <= SMALL_STEP or lasted >= SYNCED_LASTS
        return lasted >= UNSYNCED_LASTS and micros(reading.wall) >= self._known_us

    def _quality(self, reading: ClockReading) -> TimeQuality:
        if self._is_wrong:
            return TimeQuality.UNTRUSTED
        return TimeQuality.SYNCED if reading.is_synced and not self._doubt else TimeQuality.ESTIMATED

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
        kept = _Kept(self._boot, time_us, steady_us, self._is_wrong, self._known_us)
        if self._kept is None or self._is_news(kept, self._kept):
            self._kept = kept
            self.section.set("", msgspec.msgpack.encode(kept))

    @staticmethod
    def _is_news(kept: _Kept, before: _Kept) -> bool:
        drift = (kept.time_us - before.time_us) - (kept.steady_us - before.steady_us)
        is_same = (kept.boot, kept.is_wrong) == (before.boot, before.is_wrong)
        return not is_same or abs(drift) > 1_000_000 or abs(kept.known_us - before.known_us) > _KEPT_EVERY_US
