"""Turns changes of thresholds and labels into events, with hysteresis. Pure: the last change is passed in; a replay repeats nothing.

A threshold is normal, low or high; it leaves low only above `below + hysteresis`, and high only below `above - hysteresis`.
A label gets worse at once, and better only when the score is beyond the threshold by the bundle's hysteresis; until then the last label
stays, whatever the inferences say. The first label of a device raises no event unless it is another than the model's normal one.
"""

from __future__ import annotations

from dataclasses import dataclass

from edge.models.bundle import Bundle
from edge.models.not_judged import NotJudged
from edge.reading import Reading
from edge.settings.thresholds import Threshold
from edge.window import Window
from schemas.envelope import from_micros
from schemas.records import Cause, Event, Inference, Severity, ThresholdState

_FAR_AHEAD_US = 86_400_000_000


@dataclass(frozen=True, slots=True)
class LastChange:
    """Holds what a threshold's state or a label changed to last, and the event time of that in microseconds since 1970."""

    state: str
    time_us: int

    def is_wrong(self, later_us: int) -> bool:
        """Says whether it is dated so far ahead of something that came later that some clock was wrong then."""
        return self.time_us > later_us + _FAR_AHEAD_US

    def pack(self) -> bytes:
        return f"{self.time_us}:{self.state}".encode()

    @classmethod
    def unpack(cls, packed: bytes) -> LastChange:
        time_us, _, state = packed.decode().partition(":")
        return cls(state, int(time_us))


def crossing(threshold: Threshold, reading: Reading, last: LastChange | None) -> Event | None:
    """Returns the event of a reading that changes the threshold's state. A reading from before the last change raises none."""
    value = reading.values.get(threshold.channel)
    before = last.state if last else ThresholdState.NORMAL
    if value is None or (last and reading.event_us < last.time_us and not last.is_wrong(max(reading.event_us, reading.arrived_us))):
        return None
    after = _state(threshold, value, before)
    if after == before:
        return None
    return Event(
        device_id=reading.device_id,
        event_time=from_micros(reading.event_us),
        cause=Cause.THRESHOLD,
        rule=threshold.name,
        channel=threshold.channel,
        previous_state=before,
        state=after,
        value=value,
        threshold=threshold.above if ThresholdState.HIGH in (after, before) and after != ThresholdState.LOW else threshold.below,
        severity=Severity.INFO if after == ThresholdState.NORMAL else threshold.severity,
        time_quality=reading.time_quality,
    )


def relabelling(inference: Inference, window: Window, last: LastChange | None, bundle: Bundle) -> Event | None:
    """Returns the event of an inference whose label is another than the last one. A window not after that of the last one raises none."""
    if last and _is_earlier(window, last):
        return None
    before = last.state if last else None
    label = bundle.label_with_hysteresis(inference.score, before or bundle.normal_label) if bundle.hysteresis else inference.label
    if label == (before or bundle.normal_label):
        return None
    return _labelled(window, inference.model, before, label, inference.score, bundle.severities[label], inference.time_quality)


def unjudged(machine: NotJudged, window: Window, last: LastChange | None, bundle: Bundle, time_quality: str) -> Event | None:
    """Returns the event of a machine that the model does not judge, as it stands still, if it was not so before."""
    if last and (_is_earlier(window, last) or last.state == machine.state):
        return None
    before = last.state if last else None
    return _labelled(window, bundle.name, before, machine.state, machine.value, machine.severity, time_quality)


def _is_earlier(window: Window, last: LastChange) -> bool:
    """Says whether a window is not after the last change, which is not dated so far ahead that it was wrong."""
    if window.end_us > last.time_us:
        return False
    arrived_us = max((reading.arrived_us for reading in window.readings()), default=window.end_us)
    return not last.is_wrong(arrived_us)


def _labelled(  # noqa: PLR0913 - what an event says
    window: Window, model: str, before: str | None, state: str, value: float, severity: str, time_quality: str
) -> Event:
    return Event(
        device_id=window.device_id,
        event_time=from_micros(window.end_us),
        cause=Cause.LABEL,
        rule=model,
        channel=None,
        previous_state=before,
        state=state,
        value=value,
        threshold=None,
        severity=severity,
        time_quality=time_quality,
    )


def _state(threshold: Threshold, value: float, before: str) -> ThresholdState:
    if threshold.below is not None and value < threshold.below + (threshold.hysteresis if before == ThresholdState.LOW else 0.0):
        return ThresholdState.LOW
    if threshold.above is not None and value > threshold.above - (threshold.hysteresis if before == ThresholdState.HIGH else 0.0):
        return ThresholdState.HIGH
    return ThresholdState.NORMAL
