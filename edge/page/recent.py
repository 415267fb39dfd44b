"""Remembers of each device what was last: values, window, verdict and alarms. Bounded; told by the core, asked by any thread."""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from edge.events.transitions import LastChange
from edge.models.bundle import Bundle
from edge.models.not_judged import NotJudged
from edge.reading import Reading
from edge.watcher import Watcher
from schemas.envelope import micros
from schemas.records import Cause, Event, Inference, Reject, Severity, Summary, ThresholdState

MOST_DEVICES, MOST_CHANNELS, MOST_MEANS, MOST_REJECTS = 200, 12, 96, 10
_SHORTENED = 200


@dataclass(slots=True)
class ChannelNow:
    """Holds a channel's last value, in its unit, and the means of its last windows, oldest first."""

    value: float
    unit: str = ""
    means: deque[float] = field(default_factory=lambda: deque(maxlen=MOST_MEANS))


@dataclass(frozen=True, slots=True)
class VerdictNow:
    """Holds what a model said of the window that ended then; `score` is None where it did not judge."""

    model: str
    label: str
    score: float | None
    unit: str
    highest: float
    """What the score is at most: a score there says no more than that it is as high."""
    severity: Severity | None
    """None of a label that nobody needs to hear of."""
    end_us: int


@dataclass(frozen=True, slots=True)
class AlarmNow:
    """Holds a threshold that a device is beyond, and at which value, if that is known."""

    rule: str
    state: str
    severity: Severity
    channel: str | None = None
    value: float | None = None


@dataclass(slots=True)
class DeviceNow:
    """Holds what is known of a device. Times are in microseconds since 1970, by the gateway's clock but for windows."""

    device_id: str
    heard_us: int | None = None
    """None if it was not heard since the gateway started."""
    gap_us: int = 0
    """About the longest that it was silent for between two readings of late."""
    channels: dict[str, ChannelNow] = field(default_factory=dict)
    window_end_us: int | None = None
    verdicts: dict[str, VerdictNow] = field(default_factory=dict)
    alarms: dict[str, AlarmNow] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RejectNow:
    """Holds a reject: when, of which device, and why."""

    rejected_us: int
    device_id: str
    sentence: str


class Recent(Watcher):
    """Usage: give it to the gateway, then `recent.devices()` and `recent.rejects_now()`: copies, which nobody changes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._devices: dict[str, DeviceNow] = {}
        self._rejects = deque[RejectNow](maxlen=MOST_REJECTS)

    def devices(self) -> list[DeviceNow]:
        """Returns the devices by name."""
        with self._lock:
            return [_copy(self._devices[name]) for name in sorted(self._devices)]

    def rejects_now(self) -> list[RejectNow]:
        """Returns the last rejects, newest first."""
        with self._lock:
            return [*reversed(self._rejects)]

    def resumed(self, devices: Collection[str], changes: Mapping[str, LastChange]) -> None:
        with self._lock:
            for name in devices:
                self._device(name)
            for key, change in changes.items():
                name, _, rule = key.partition("/")
                device = self._device(name) if change.state != ThresholdState.NORMAL else None
                if device:
                    device.alarms[rule] = AlarmNow(rule, change.state, Severity.WARNING)

    def readings(self, readings: Sequence[Reading]) -> None:
        # Two steps a reading: there are tens of thousands in a second.
        arrived, values = dict[str, int](), defaultdict[str, dict[str, float]](dict)
        for reading in readings:
            arrived[reading.device_id] = reading.arrived_us
            values[reading.device_id].update(reading.values)
        with self._lock:
            for name, arrived_us in arrived.items():
                if device := self._device(name):
                    _hear(device, arrived_us, values[name])

    def summaries(self, summaries: Sequence[Summary]) -> None:
        with self._lock:
            for summary in summaries:
                device = self._device(summary.device_id)
                channel = device.channels.get(summary.channel) if device else None
                if device and channel and not summary.late:
                    channel.unit = summary.unit
                    channel.means.append(summary.sum / summary.count)
                    device.window_end_us = micros(summary.window_start) + summary.window_seconds * 1_000_000

    def verdict(self, said: Inference | NotJudged, device_id: str, end_us: int, bundle: Bundle) -> None:
        label, score = (said.state, None) if isinstance(said, NotJudged) else (said.label, said.score)
        if isinstance(said, NotJudged):
            severity: Severity | None = said.severity if said.severity != Severity.INFO else None
        else:
            severity = None if label == bundle.normal_label else Severity(bundle.severities[label])
        with self._lock:
            if device := self._device(device_id):
                device.verdicts[bundle.name] = VerdictNow(bundle.name, label, score, bundle.unit, bundle.limits[1], severity, end_us)

    def events(self, events: Sequence[Event]) -> None:
        with self._lock:
            for event in events:
                device = self._device(event.device_id)
                if device is None or event.cause != Cause.THRESHOLD:
                    continue
                if event.state == ThresholdState.NORMAL:
                    device.alarms.pop(event.rule, None)
                else:
                    alarm = AlarmNow(event.rule, event.state, Severity(event.severity), event.channel, event.value)
                    device.alarms[event.rule] = alarm

    def rejects(self, rejects: Sequence[Reject]) -> None:
        with self._lock:
            self._rejects.extend(
                RejectNow(micros(row.timestamp), (row.device_id or row.topic or "")[:_SHORTENED], row.errorMessage[:_SHORTENED])
                for row in rejects[-MOST_REJECTS:]
            )

    def forgotten(self, devices: Collection[str]) -> None:
        with self._lock:
            for name in devices:
                self._devices.pop(name, None)

    def _device(self, name: str) -> DeviceNow | None:
        """Returns a device, None for one too many."""
        device = self._devices.get(name)
        if device is None and len(self._devices) < MOST_DEVICES:
            device = self._devices[name] = DeviceNow(name)
        return device


def _hear(device: DeviceNow, arrived_us: int, values: Mapping[str, float]) -> None:
    if device.heard_us is not None and arrived_us > device.heard_us:
        # A gap counts for a while: a probe that slept for an hour once may do so again.
        device.gap_us = max(arrived_us - device.heard_us, device.gap_us - device.gap_us // 20)
    device.heard_us = arrived_us
    for channel, value in values.items():
        if now := device.channels.get(channel):
            now.value = value
        elif len(device.channels) < MOST_CHANNELS:
            device.channels[channel] = ChannelNow(value)


def _copy(device: DeviceNow) -> DeviceNow:
    channels = {name: ChannelNow(now.value, now.unit, now.means.copy()) for name, now in device.channels.items()}
    return DeviceNow(
        device.device_id, device.heard_us, device.gap_us, channels, device.window_end_us, dict(device.verdicts), dict(device.alarms)
    )
