"""Says what needs doing, worst first: by what the devices say, by their silence, and by the gateway's own state. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from edge.health import HealthStatus
from edge.page import words
from edge.page.names import Names
from edge.page.recent import DeviceNow
from schemas.envelope import micros
from schemas.records import Heartbeat, LinkState, Severity, TimeQuality

_SILENT_GAPS, _LEAST_SILENCE_US, _LONGEST_SILENCE_US = 3, 60_000_000, 86_400_000_000
_NEARLY_FULL = 0.8
_CERTIFICATE_DAYS, _BACKLOG_SECONDS = 10, 3600
_RANK = {Severity.CRITICAL: 0, Severity.WARNING: 1, Severity.INFO: 2}


@dataclass(frozen=True, slots=True)
class Notice:
    """Is one thing to do or to know, of a device or of the gateway itself."""

    severity: Severity
    subject: str
    sentence: str


def is_silent(device: DeviceNow, now_us: int) -> bool:
    """Says whether a device is silent for three times as long as it was of late between two readings, or for a day."""
    if device.heard_us is None:
        return True
    usual_us = max(_LEAST_SILENCE_US, _SILENT_GAPS * device.gap_us) if device.gap_us else _LONGEST_SILENCE_US
    return now_us - device.heard_us > min(usual_us, _LONGEST_SILENCE_US)


def notices(devices: Sequence[DeviceNow], names: Names, status: HealthStatus, now: datetime) -> list[Notice]:
    """Returns what needs doing, worst first."""
    found = [notice for device in devices for notice in _of_device(device, names.device(device.device_id), micros(now))]
    return sorted([*_of_gateway(status, now), *found], key=lambda notice: _RANK[notice.severity])


def _of_device(device: DeviceNow, name: str, now_us: int) -> Iterator[Notice]:
    for alarm in device.alarms.values():
        unit = device.channels[alarm.channel].unit if alarm.channel in device.channels else ""
        yield Notice(alarm.severity, name, words.alarm(alarm, unit))
    if is_silent(device, now_us):
        since = "since this gateway started" if device.heard_us is None else f"for {words.lasting((now_us - device.heard_us) / 1e6)}"
        yield Notice(Severity.WARNING, name, f"Not heard {since}: look at its battery, its radio and the way between")
        return
    for verdict in device.verdicts.values():
        if verdict.severity:
            yield Notice(verdict.severity, name, words.advice(verdict))


def _of_gateway(status: HealthStatus, now: datetime) -> Iterator[Notice]:
    beat = status.heartbeat
    for severity, sentence in (*_of_room(status), *_of_links(status, now), *_of_itself(beat, now)):
        yield Notice(severity, "This gateway", sentence)


def _of_room(status: HealthStatus) -> Iterator[tuple[Severity, str]]:
    beat = status.heartbeat
    if status.full:
        yield Severity.CRITICAL, "Takes no readings, for want of room: `tinybeam edge doctor` says why"
    elif beat.store_bytes > _NEARLY_FULL * beat.store_bytes_max:
        yield Severity.WARNING, f"Its store is nearly full: {words.size(beat.store_bytes)} of {words.size(beat.store_bytes_max)}"


def _of_links(status: HealthStatus, now: datetime) -> Iterator[tuple[Severity, str]]:
    beat = status.heartbeat
    if beat.broker_state != LinkState.ONLINE:
        # Where readings are posted there may be no broker at all.
        yield (
            Severity.INFO if status.http else Severity.CRITICAL,
            f"Does not hear its broker ({_link(beat.broker_state)}): no device over MQTT is heard",
        )
    if beat.oldest_pending_time and (now - beat.oldest_pending_time).total_seconds() > _BACKLOG_SECONDS:
        waits = words.lasting((now - beat.oldest_pending_time).total_seconds())
        state = _link(beat.uplink_state)
        yield Severity.WARNING, f"Nothing has gone up for {waits} (uplink: {state}); it keeps {beat.batches_pending} batches until it can"


def _of_itself(beat: Heartbeat, now: datetime) -> Iterator[tuple[Severity, str]]:
    if beat.time_quality not in (TimeQuality.SYNCED, TimeQuality.CORRECTED):
        yield Severity.WARNING, "No time server has set its clock, so times may be wrong; readings are marked"
    if beat.certificate_end_time and (days := (beat.certificate_end_time - now).days) < _CERTIFICATE_DAYS:
        yield Severity.WARNING, "Its certificate has ended" if days < 0 else f"Its certificate ends in {days} days"
    for release, reason in json.loads(beat.releases_refused or "{}").items():
        yield Severity.INFO, f"Does not run {release}: {reason}"
    for release, reason in json.loads(beat.releases_waiting or "{}").items():
        yield Severity.INFO, f"Does not run {release} yet: {reason}"


def _link(state: str) -> str:
    return state.replace("_", " ").replace("cert", "certificate")
