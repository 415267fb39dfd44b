"""Watches thresholds and labels, device by device, and keeps what was last said of each, so that no event is raised twice.

The events and the states they led to must be stored in one transaction; until `stored` is called they are kept together here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from edge.config import Threshold
from edge.events.transitions import State, crossing, relabelling
from edge.models.bundle import Bundle
from edge.reading import Reading
from edge.windows import Window
from schemas.records import Event, Inference

_THRESHOLD, _LABEL = "threshold", "label"


class ThresholdMonitor:
    """`events` are raised and not stored yet, `changed` is the memory that goes with them."""

    def __init__(self, memory: Mapping[str, bytes]) -> None:
        """`memory` is the store's; other names in it are none of ours."""
        self._states = {name: State.unpack(packed) for name, packed in memory.items() if name.split("/", 1)[0] in (_THRESHOLD, _LABEL)}
        self.events: list[Event] = []
        self.changed: dict[str, bytes | None] = {}

    def reading(self, thresholds: Sequence[Threshold], reading: Reading) -> None:
        for threshold in thresholds:
            if threshold.channel in reading.values:
                name = f"{_THRESHOLD}/{reading.device_id}/{threshold.name}"
                if event := crossing(threshold, reading, self._states.get(name)):
                    self._raise(name, event, reading.event_us)

    def inference(self, inference: Inference, window: Window, bundle: Bundle) -> None:
        """`bundle` is the model's."""
        name = f"{_LABEL}/{inference.device_id}/{inference.model}"
        if event := relabelling(inference, window, self._states.get(name), bundle):
            self._raise(name, event, window.end_us)

    def stored(self) -> None:
        """The events and the memory are in the store."""
        self.events, self.changed = [], {}

    def _raise(self, name: str, event: Event, event_us: int) -> None:
        state = self._states[name] = State(event.state, event_us)
        self.events.append(event)
        self.changed[name] = state.pack()
