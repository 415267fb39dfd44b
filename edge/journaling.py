"""Puts readings into the journal and into their windows, and opens these windows again from the journal. Thresholds look on.

Guarantees that a reading is durable once `append` has returned, and that thresholds look at each reading once, whatever restarts: up to
which row they have looked is committed with the events that they raised.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from edge.events.threshold_monitor import ThresholdMonitor
from edge.intake.inbox import Inbox
from edge.open_windows import OpenWindows
from edge.reading import Reading, Rejected
from edge.store.section import Section
from edge.store.store import CommitTooLarge, Entry, Store, StoreFull
from edge.watcher import Watcher
from edge.window import WindowedReadings, pack, unpack
from program import logs
from schemas.envelope import micros

_READINGS_A_COMMIT = 500

_log = logs.get(__name__)


class Journaling:
    """Opens windows: `journaling.resume()` first, then `journaling.append(now)` for what the inbox has received.

    To cut events commit `journaling.evaluated()` with them, then call `journaling.mark_cut()`.
    """

    def __init__(  # noqa: PLR0913 - made in one place
        self, store: Store, inbox: Inbox, windows: OpenWindows, monitor: ThresholdMonitor, watcher: Watcher, *, open_bytes: int
    ) -> None:
        """Open windows take `open_bytes` of memory at most; `watcher` is told of readings once they are durable."""
        self._store, self._inbox, self._windows, self._monitor, self._watcher = store, inbox, windows, monitor, watcher
        self._open_bytes = open_bytes
        self._evaluated = store.section("evaluated")
        self.last_id = store.ledger().journaled
        """The highest id of the journal, not the highest replayed: what the last cut closed may lie above it, and JournalMark never
        descends."""
        # Ids begin anew behind what was found of a damaged store: those to come are not evaluated yet.
        self._evaluated_id = min(self._evaluated.parsed(int).get("", 0), self.last_id)

    def resume(self) -> int:
        """Opens the windows of the journal again. Returns how many readings are in them."""
        oldest, readings = None, 0
        for journal_id, due_us, body in self._store.replay():
            oldest = oldest or journal_id
            if windowed := self._opened(journal_id, body):
                self._apply(journal_id, windowed, due_us)
                readings += len(windowed.readings)
        self._windows.retiming.forget(oldest)
        return readings

    def reopen(self) -> None:
        """Reads the journal again, with the times put right of what came before the clock was known."""
        self._windows.clear()
        for journal_id, due_us, body in self._store.replay():
            if windowed := self._opened(journal_id, body):
                self._windows.add(journal_id, windowed, due_us)

    def append(self, now: datetime) -> None:
        """Returns when all readings of the inbox are durable. Raises StoreFull: those that are not stay in the inbox."""
        self._windows.learn([each.reading for each in self._inbox.readings])
        most = _READINGS_A_COMMIT
        while keyed := self._inbox.readings[:most]:
            readings = [each.reading for each in keyed]
            try:
                self._append(readings, b"".join(each.dedup_key for each in keyed if each.dedup_key), now)
            except CommitTooLarge:
                if most == 1:
                    raise
                most //= 2
                continue
            self._inbox.readings_stored(len(keyed))
            self._watcher.readings(readings)

    def evaluated(self) -> Section:
        """Returns the section that says up to which row thresholds have looked."""
        self._evaluated.set("", str(self.last_id).encode())
        return self._evaluated

    def mark_cut(self) -> None:
        """Notes that the section is committed."""
        self._evaluated_id = self.last_id

    def _append(self, readings: Sequence[Reading], dedup_keys: bytes, now: datetime) -> None:
        self._check_memory()
        intervals = self._windows.assign(readings, micros(now))
        ids = self._store.append([Entry(due_us, pack(each), len(each.readings)) for due_us, each in intervals], dedup_keys)
        for due_us, each in intervals:
            self._apply(ids[-1], each, due_us)

    def _check_memory(self) -> None:
        """Raises StoreFull while open windows take all the memory that they may."""
        if self._windows.memory >= self._open_bytes:
            raise StoreFull(f"readings of open windows take more memory than limits.open_bytes = {self._open_bytes}: some must close first")

    def _opened(self, journal_id: int, body: bytes) -> WindowedReadings | None:
        """Reads a row of the journal. One that rotted in a store of a release without seals becomes a reject, once."""
        try:
            return unpack(body)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            _log.error("row %d of the journal cannot be read any more, and is set aside: %s", journal_id, error)
            sentence = f"the gateway's journal, which was not sealed yet, has rotted: {error}"
            self._inbox.set_aside(Rejected("damaged", sentence, body), dup=True)
            return None

    def _apply(self, journal_id: int, windowed: WindowedReadings, due_us: int) -> None:
        windowed = self._windows.add(journal_id, windowed, due_us)
        if self._windows.memory >= self._open_bytes:
            self._windows.pack()
        self.last_id = max(self.last_id, journal_id)
        if journal_id > self._evaluated_id:
            for reading in windowed.readings:
                sensors = self._inbox.sensors(reading.device_id)
                self._monitor.reading(sensors.thresholds if sensors else (), reading)
