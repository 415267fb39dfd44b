"""Runs recorded payloads through a gateway's settings: no broker, no uplink, and the clock is that of the recording.

It is for trying out a sensor, a payload format, a threshold or a model before anything is installed. It is the gateway's own code that
runs, and what is shown is read back from the batches that it would send.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from edge.channels import read_off
from edge.config import Config
from edge.day_cost import Traffic, of_store, wire_of
from edge.gateway import Gateway, MqttMessage
from edge.intake.reader import Reader
from edge.models.bundles import bundles_of
from edge.models.process_scorer import ProcessScorer
from edge.models.running import slots_of
from edge.reading import Reading
from edge.recording import RecordedMessage
from edge.store.form import decoded
from edge.store.store import Store
from program import terminal
from schemas.envelope import from_micros, micros
from schemas.records import Kind, TimeQuality

_MAX_BATCHES = 1_000_000


@dataclass(frozen=True, slots=True)
class TimedMessage:
    """Holds a message and the gateway's clock at its arrival."""

    message: MqttMessage
    time: datetime


def timed(config: Config, recording: Iterable[RecordedMessage], clock: Callable[[], datetime]) -> Iterator[TimedMessage]:
    """Yields the messages with the time at which they came: noted in the recording, else the sensor's own, else that of the message before.

    Where no message has a time they come now, as when a live subscription is read.
    """
    reader, before = Reader(config), None
    for recorded in recording:
        message = MqttMessage(recorded.topic, recorded.payload)
        before = recorded.time or _sensor_time(reader, message, before or clock()) or before
        yield TimedMessage(message, before or clock())


def _sensor_time(reader: Reader, message: MqttMessage, now: datetime) -> datetime | None:
    results = reader.read(message, micros(now), TimeQuality.SYNCED)
    times = [each.event_us for each in results if isinstance(each, Reading) and each.sensor_time]
    return from_micros(max(times)) if times else None


@contextmanager
def dry_run(config: Config, recording: Iterable[TimedMessage], directory: Path) -> Iterator[Store]:
    """Yields a store in `directory` with what became of the recording, all windows closed. Raises BundleError, ConfigError, ScorerFailed.

    Usage: `with dry_run(config, timed(config, read_recording(...), clock), directory) as store: list(rows(store))`.
    """
    config = msgspec.structs.replace(config, gateway=msgspec.structs.replace(config.gateway, state_dir=directory))
    bundles = bundles_of(config)
    with (
        closing(Store(config.store_file, config.gateway.id, config.store.max_bytes)) as store,
        ProcessScorer(list(bundles.values())) as scorer,
    ):
        gateway = now = None
        for message in recording:
            if gateway is None or now is None:
                gateway, now = Gateway(config, store, message.time, slots=slots_of(bundles, scorer)), message.time
            now = max(now, message.time)
            gateway.tick(now)
            gateway.accept([message.message], now)
        if gateway and now:
            gateway.flush(gateway.end_of_windows(now + timedelta(seconds=config.windows.seconds + config.windows.grace_seconds)))
        yield store


class Recording:
    """Goes through a recording once, and knows then what it was: `recording.cost(store, config)` after a dry run of it."""

    def __init__(self, messages: Iterable[TimedMessage]) -> None:
        self._messages, self._traffic = messages, Traffic()
        self._first: datetime | None = None
        self._last: datetime | None = None

    def __iter__(self) -> Iterator[TimedMessage]:
        for message in self._messages:
            self._first, self._last = min(self._first or message.time, message.time), max(self._last or message.time, message.time)
            self._traffic.heard([message.message])
            yield message

    @property
    def is_empty(self) -> bool:
        return self._first is None

    def cost(self, store: Store, config: Config) -> Iterator[str]:
        """Says what a day like this costs in bytes up, and whether that is more than the limits allow."""
        if self._first is None or self._last is None:
            yield "no readings, so no cost"
            return
        of_store(store, wire_of(config), self._traffic)
        span = self._last - self._first
        day = self._traffic.day(span)
        yield f"bytes up, as these {span / timedelta(hours=1):.1f} hours of readings cost: {day.sentence}"
        if excess := config.uplink.limits.excess(day.bytes):
            yield f"warning: {excess}"


def rows(store: Store) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields (kind, row) of everything that waits in the store, in the order in which it was cut."""
    for batch in store.batches(0, _MAX_BATCHES):
        for row in decoded(batch.body):
            yield batch.envelope.kind, row


def sentence(kind: str, row: Mapping[str, Any]) -> str:
    """Writes a row for people."""
    return _SENTENCES[kind](row)


def as_json(kind: str, row: Mapping[str, Any]) -> str:
    """Writes a row for programs: times in ISO 8601, bytes in base64."""
    return terminal.safe_json(msgspec.json.encode({"kind": kind, **row}).decode())


def _summary(row: Mapping[str, Any]) -> str:
    values = read_off.sentence(row) or f"mean {row['sum'] / row['count']:g} {row['unit']}, {row['min']:g} to {row['max']:g}"
    window = f"in the {row['window_seconds']} s from {_time(row['window_start'])}"
    return f"{row['device_id']} {row['channel']}: {row['count']} values, {values}, {window}"


def _inference(row: Mapping[str, Any]) -> str:
    verdict = f"{row['model']} {row['model_version']} says {row['label']}, score {row['score']:.3g}, uncertainty {row['uncertainty']:.3g}"
    return f"{row['device_id']}: {verdict}, of the {row['window_seconds']} s from {_time(row['window_start'])}"


def _event(row: Mapping[str, Any]) -> str:
    change = f"{row['rule']}: {row['previous_state'] or 'unknown'} -> {row['state']} at {row['value']:g}"
    return f"{row['device_id']} {change}, {row['severity']}, {_time(row['event_time'])}"


def _heartbeat(row: Mapping[str, Any]) -> str:
    stored, summarised = row["readings_stored"], row["readings_summarised"]
    return f"{stored} readings stored, {summarised} summarised, {row['readings_rejected']} rejected, {_time(row['heartbeat_time'])}"


def _reject(row: Mapping[str, Any]) -> str:
    return f"{row['device_id'] or row['topic']}: {row['reason']}: {row['errorMessage']}"


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}"


_SENTENCES: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    Kind.SUMMARIES: _summary,
    Kind.INFERENCES: _inference,
    Kind.EVENTS: _event,
    Kind.HEARTBEATS: _heartbeat,
    Kind.REJECTS: _reject,
}
