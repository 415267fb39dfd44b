"""Makes of the windows that close what goes up: summaries, held back within their deadbands, inferences that are news, and events. No I/O.

Whatever fails at one window costs that window: its readings become rejects, and the others go on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec

from edge.closed_windows import ClosedWindows
from edge.events.threshold_monitor import ThresholdMonitor
from edge.forgetting import Stage
from edge.intake.inbox import Inbox
from edge.models.infer import ModelRunner, Verdict
from edge.models.not_judged import NotJudged
from edge.models.sampling import Sampling
from edge.models.slot import Slot
from edge.reading import Rejected
from edge.settings.models import ModelSettings
from edge.settings.sensors import Sensors
from edge.store.section import Sections
from edge.summaries.deadband import CountedSummary, Deadbands
from edge.summaries.kinds import summarised
from edge.summaries.last_points import LastPoints
from edge.summaries.summarise import time_quality
from edge.watcher import Watcher
from edge.window import Window
from program import logs

_log = logs.get(__name__)


class Closing:
    """Holds the `rows` of windows until they are cut.

    Usage: `closing.close(windows, is_over)`, cut `closing.rows` with the sections of `closing.stages`, `closing.mark_cut()`. Rejects are
    left to the inbox and events to the monitor.
    """

    def __init__(  # noqa: PLR0913 - made in one place
        self,
        inbox: Inbox,
        monitor: ThresholdMonitor,
        models: ModelRunner,
        slots: Mapping[str, Slot],
        settings: Sequence[ModelSettings],
        sampling: Sampling,
        watcher: Watcher,
        section: Sections,
        *,
        max_held_bytes: int,
    ) -> None:
        """`slots` and `settings` are those of [[models]]; deadbands hold back so many bytes at most."""
        self._inbox, self._monitor, self._models, self._slots, self._sampling = inbox, monitor, models, slots, sampling
        self._watcher = watcher
        self._score_deadbands = {model.name: model.deadband for model in settings}
        self._deadbands, self._last_points = Deadbands(section, max_held_bytes), LastPoints(section)
        self.stages: tuple[Stage, ...] = (self._deadbands, self._last_points)
        self.rows = ClosedWindows()

    @property
    def is_waiting(self) -> bool:
        """Says whether there is anything to cut."""
        return bool(self.rows.summaries or self.rows.set_aside or self._deadbands.changed)

    @property
    def readings_held(self) -> int:
        """Returns how many readings deadbands hold back."""
        return self._deadbands.readings

    def close(self, windows: Sequence[Window], is_over: Callable[[str, int], bool]) -> None:
        """Summarises and scores windows that closed together, oldest first. `is_over` says which runs of a deadband go on no more."""
        for window in windows:
            self._summarise(window)
        for name, slot in self._slots.items():
            self._score(name, slot, windows)
        self.rows.add(self._deadbands.release_expired(is_over))

    def release_all(self) -> None:
        """Holds nothing back any longer."""
        self.rows.add(self._deadbands.release_all())

    def mark_cut(self) -> None:
        """Notes that the rows are cut."""
        self.rows = ClosedWindows()
        self._sampling.mark_cut()

    def _summarise(self, window: Window) -> None:
        sensors = self._sensors(window)
        try:
            parts = list(summarised(window, sensors, self._last_points))
        except Exception as fault:  # noqa: BLE001 - set aside
            self._set_aside(window, fault)
            return
        for part, rows in parts:
            self._watcher.summaries(rows)
            for counted in map(CountedSummary, rows, [len(part), *[0] * (len(rows) - 1)]):
                deadband = sensors.deadband.get(counted.summary.channel) if sensors and not window.late else None
                due = self._deadbands.add(counted, deadband, sensors.hold_seconds) if sensors and deadband else [counted]
                self.rows.add(due)

    def _set_aside(self, window: Window, fault: Exception) -> None:
        """Makes rejects of the readings of a window at which we failed ourselves, and lets the other windows go on."""
        readings, text = window.readings(), f"its window could not be summarised: {fault!r}"
        _log.exception("%d readings of %s in one window are set aside", len(readings), window.device_id)
        for reading in readings:
            self._inbox.set_aside(Rejected("fault", text, msgspec.json.encode(reading), reading.device_id, seq=reading.seq))
        self.rows.set_aside += len(readings)

    def _score(self, name: str, slot: Slot, closed: Sequence[Window]) -> None:
        """Scores the windows that closed together, oldest first, in one message to the model's child."""
        scored = [window for window in closed if not window.late and (sensors := self._sensors(window)) and sensors.model == name]
        for verdict in self._models.infer(slot, scored) if scored else ():
            self._judged(verdict, self._score_deadbands.get(name, 0.0))

    def _judged(self, verdict: Verdict, deadband: float) -> None:
        """Keeps a verdict that is news, with what the shadow says of the same window, which is compared and raises nothing."""
        said, window, bundle, shadow = verdict
        self._watcher.verdict(said, window.device_id, window.end_us, bundle)
        if isinstance(said, NotJudged):
            self._monitor.not_judged(said, window, bundle, time_quality(window.readings()))
            return
        sensors = self._sensors(window)
        if self._deadbands.is_news(said, deadband, sensors.hold_seconds if sensors else 0):
            self.rows.inferences += [said, shadow] if shadow else [said]
        self._monitor.inference(said, window, bundle)
        self._sampling.look(said, bundle, shadow.label if shadow else None)

    def _sensors(self, window: Window) -> Sensors | None:
        return self._inbox.sensors(window.device_id)
