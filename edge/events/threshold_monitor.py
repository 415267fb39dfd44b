"""Monitors thresholds and labels, device by device, and remembers the last change of each, so that no event is raised twice.

The events and the changes that raised them must be stored by one cut; until `mark_committed` is called they are kept together here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from edge.events.transitions import LastChange, crossing, relabelling, unjudged
from edge.models.bundle import Bundle
from edge.models.not_judged import NotJudged
from edge.reading import Reading
from edge.settings.thresholds import Threshold
from edge.store.section import Section, Sections
from edge.window import Window
from schemas.records import Cause, Event, Inference


class ThresholdMonitor:
    """Raises events: `events` are not stored yet, and the cut that stores them commits `sections`.

    Usage: `monitor.reading(thresholds, reading)`, cut `monitor.events`, `monitor.mark_committed()`.
    """

    def __init__(self, section: Sections) -> None:
        self._thresholds, self._labels = _LastChanges(section(Cause.THRESHOLD)), _LastChanges(section(Cause.LABEL))
        self.sections = self._thresholds.section, self._labels.section
        self.events: list[Event] = []

    @property
    def thresholds(self) -> Mapping[str, LastChange]:
        """Returns what each threshold changed to last, by DEVICE/NAME."""
        return self._thresholds.by_key

    def reading(self, thresholds: Sequence[Threshold], reading: Reading) -> None:
        for threshold in thresholds:
            if threshold.channel in reading.values:
                key = f"{reading.device_id}/{threshold.name}"
                if event := crossing(threshold, reading, self._thresholds.get(key)):
                    self._thresholds.set(key, LastChange(event.state, reading.event_us))
                    self.events.append(event)

    def inference(self, inference: Inference, window: Window, bundle: Bundle) -> None:
        """Raises an event if the label is another. `bundle` is the model's."""
        self._relabelled(relabelling(inference, window, self._last(window, bundle), bundle), window, bundle)

    def not_judged(self, machine: NotJudged, window: Window, bundle: Bundle, time_quality: str) -> None:
        """Raises an event if the machine was not in this state before, in which the model does not judge it."""
        self._relabelled(unjudged(machine, window, self._last(window, bundle), bundle, time_quality), window, bundle)

    def _last(self, window: Window, bundle: Bundle) -> LastChange | None:
        return self._labels.get(f"{window.device_id}/{bundle.name}")

    def _relabelled(self, event: Event | None, window: Window, bundle: Bundle) -> None:
        if event:
            self._labels.set(f"{window.device_id}/{bundle.name}", LastChange(event.state, window.end_us))
            self.events.append(event)

    def forget(self, devices: Collection[str]) -> None:
        """Forgets the last changes of these devices."""
        for changes in (self._thresholds, self._labels):
            changes.forget(devices)

    def mark_committed(self) -> None:
        """Forgets the events, for they are in the store."""
        self.events = []


class _LastChanges:
    """Decodes a section at the start, for it is looked up for every reading."""

    def __init__(self, section: Section) -> None:
        self.section = section
        self.by_key = section.parsed(LastChange.unpack)

    def get(self, key: str) -> LastChange | None:
        return self.by_key.get(key)

    def set(self, key: str, change: LastChange) -> None:
        self.by_key[key] = change
        self.section.set(key, change.pack())

    def forget(self, devices: Collection[str]) -> None:
        self.section.forget(devices)
        self.by_key = {key: change for key, change in self.by_key.items() if self.section.get(key) is not None}
