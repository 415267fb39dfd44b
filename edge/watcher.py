"""Declares what the core tells of what passes through it, to whoever looks on. Nothing depends on its being heard."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from edge.events.transitions import LastChange
from edge.models.bundle import Bundle
from edge.models.not_judged import NotJudged
from edge.reading import Reading
from schemas.records import Event, Inference, Reject, Summary


class Watcher:
    """Is told what happens, in the thread of the core, and must be quick. This one does not listen."""

    def resumed(self, devices: Collection[str], changes: Mapping[str, LastChange]) -> None:
        """Hears at the start which devices are known, and of thresholds, by DEVICE/NAME, what each changed to last."""

    def readings(self, readings: Sequence[Reading]) -> None:
        """Hears of readings that are durable."""

    def summaries(self, summaries: Sequence[Summary]) -> None:
        """Hears of the summaries of a window that has closed, before deadbands hold any back."""

    def verdict(self, said: Inference | NotJudged, device_id: str, end_us: int, bundle: Bundle) -> None:
        """Hears of each verdict on a window that ends then."""

    def events(self, events: Sequence[Event]) -> None:
        """Hears of events that have been cut."""

    def rejects(self, rejects: Sequence[Reject]) -> None:
        """Hears of rejects that have been cut."""

    def forgotten(self, devices: Collection[str]) -> None:
        """Hears which devices are known no more."""
