"""Keeps the open windows of a gateway over restarts and over whatever its clock does: what the journal holds, by due time. No I/O.

Guarantees that a row of the journal is in windows that close together, when the watermark reaches the row's due time; so a cut may close
the journal by the watermark.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from edge.device_clocks import DeviceClocks
from edge.reading import Reading
from edge.retiming import Retiming
from edge.settings.windows import WindowSettings
from edge.store.section import Section, Sections
from edge.timekeeper import Moment
from edge.watermark import Watermark
from edge.window import Window, WindowedReadings
from edge.windows import DueReadings, Windows
from schemas.records import TimeQuality

_MICROSECOND = timedelta(microseconds=1)


class OpenWindows:
    """Is the gateway's part of edge.windows. Usage: `learn(readings)`, then store and `add` each of `assign(readings, now_us)`."""

    def __init__(self, settings: WindowSettings, section: Sections, started_us: int, closed_us: int) -> None:
        """`closed_us` is up to where the journal is closed."""
        self._watermark, self._clocks = Watermark(section), DeviceClocks(section, settings.seconds)
        start = self._watermark.resume(started_us, settings.grace_seconds * 1_000_000, closed_us)
        self._windows = Windows(settings.seconds, settings.grace_seconds, start.watermark_us, start.axis_us, self._clocks)
        self.retiming = Retiming(section)
        self._is_unsure = True
        """There may be readings in the journal whose time a step puts right."""
        self.last_due_time = self._windows.last_due_time
        self.is_over, self.seconds_to_close, self.pack = self._windows.is_over, self._windows.seconds_to_close, self._windows.pack

    @property
    def watermark_us(self) -> int:
        return self._windows.watermark_us

    @property
    def memory(self) -> int:
        """Says about how much memory the readings take."""
        return self._windows.memory

    def sections(self) -> list[Section]:
        """Returns what the cut that closes windows has to commit."""
        self._watermark.keep(self._windows.watermark_us, self._windows.axis_us)
        return [self._watermark.section, self._clocks.section, self.retiming.section]

    def note_clock(self, moment: Moment, last_id: int) -> None:
        """Follows the gateway's clock. `last_id` is that of the last row that came before this moment."""
        self.retiming.begin(moment.boot, last_id)
        if moment.step:
            step_us = moment.step // _MICROSECOND
            self._windows.step(step_us)
            if self._is_unsure:
                self.retiming.note(step_us, moment.quality, last_id)
        self._is_unsure = moment.quality != TimeQuality.SYNCED
        self._windows.wait(moment.wait // _MICROSECOND)

    def sensors_offset(self, now_us: int) -> timedelta | None:
        """Returns how much later than dated the readings of most devices come, None if they do not agree."""
        common_us = self._clocks.common_us(now_us)
        return None if common_us is None else common_us * _MICROSECOND

    def offset_us(self, device_id: str) -> int:
        """Returns how much later than dated a device's readings come, in microseconds; below nought if they are dated ahead."""
        return self._clocks.offset_us(device_id)

    def learn(self, readings: Sequence[Reading]) -> None:
        """Learns from all readings that came together how far the clocks of their devices are off, before any of them is assigned."""
        self._clocks.note(readings)

    def assign(self, readings: Sequence[Reading], now_us: int) -> list[DueReadings]:
        """Puts readings into their intervals; what is due first comes first."""
        return self._windows.assign(readings, now_us)

    def add(self, journal_id: int, windowed: WindowedReadings, due_us: int) -> WindowedReadings:
        """Adds a row of the journal; returns its readings with their times put right."""
        retimed = self.retiming.applied(journal_id, windowed)
        self._windows.add(retimed, due_us)
        return retimed

    def advance(self, now_us: int) -> Sequence[Window]:
        """Moves the watermark and returns the windows that it closes, oldest first."""
        return self._windows.advance(now_us)

    def clear(self) -> None:
        """Forgets what is open: all rows of the journal will be added again."""
        self._windows.clear()
