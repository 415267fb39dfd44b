"""Runs recorded payloads through a gateway's settings: no broker, no uplink, and the clock is that of the recording.

It is for trying out a sensor, a payload format, a threshold or a model before anything is installed. It is the gateway's own code that
runs, and what is shown is read back from the batches that it would send.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from edge.config import Config
from edge.day_cost import Traffic, of_store
from edge.gateway import Gateway, MqttMessage
from edge.models.bundles import bundles_of
from edge.models.process_scorer import ProcessScorer
from edge.settings.mqtt import MqttSettings
from edge.store.form import decoded
from edge.store.store import Store
from schemas.records import Kind

_MAX_BATCHES = 1_000_000


class DryRunError(ValueError):
    """A line is no recorded payload; the text names the line."""


@dataclass(frozen=True, slots=True)
class RecordedMessage:
    """Holds a message as its sensor sent it, and the sensor's time, which is the gateway's clock here."""

    device_id: str
    time: datetime
    payload: bytes


class _Line(msgspec.Struct):
    device: str
    time: float | str
    payload: str | None = None
    payload_base64: bytes | None = None


_line = msgspec.json.Decoder(_Line)


def read_recording(lines: Iterable[bytes]) -> Iterator[RecordedMessage]:
    """Yields one message a line: a reading in JSON as sensors send it, with `device` and `time`, or these two and the `payload` of another
    format, as text or as `payload_base64`. Empty lines are passed over. Raises DryRunError.
    """
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield _recorded_message(number, line.strip())


@contextmanager
def dry_run(config: Config, recording: Iterable[RecordedMessage], directory: Path) -> Iterator[Store]:
    """Yields a store in `directory` with what became of the recording, all windows closed. Raises BundleError, ConfigError, ScorerFailed.

    Usage: `with dry_run(config, read_recording(lines), directory) as store: list(rows(store))`.
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
                gateway, now = Gateway(config, store, message.time, scorer=scorer, bundles=bundles), message.time
            now = max(now, message.time)
            gateway.tick(now)
            gateway.accept([MqttMessage(config.mqtt.topic_of(message.device_id), message.payload)], now)
        if gateway and now:
            gateway.flush(now + timedelta(seconds=config.windows.seconds + config.windows.grace_seconds))
        yield store


class Recording:
    """Goes through a recording once, and knows then what it was: `recording.cost(store, topic)` after a dry run of it."""

    def __init__(self, mqtt: MqttSettings, messages: Iterable[RecordedMessage]) -> None:
        self._mqtt, self._messages, self._traffic = mqtt, messages, Traffic()
        self._first: datetime | None = None
        self._last: datetime | None = None

    def __iter__(self) -> Iterator[RecordedMessage]:
        for message in self._messages:
            self._first, self._last = min(self._first or message.time, message.time), max(self._last or message.time, message.time)
            self._traffic.heard([MqttMessage(self._mqtt.topic_of(message.device_id), message.payload)])
            yield message

    def cost(self, store: Store, topic: str) -> str:
        """Says what a day like this costs in bytes up."""
        if self._first is None or self._last is None:
            return "no readings, so no cost"
        of_store(store, topic, self._traffic)
        span = self._last - self._first
        return f"bytes up, as these {span / timedelta(hours=1):.1f} hours of readings cost: {self._traffic.sentence(span)}"


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
    return msgspec.json.encode({"kind": kind, **row}).decode()


def _recorded_message(number: int, line: bytes) -> RecordedMessage:
    try:
        parsed = _line.decode(line)
        payload = parsed.payload_base64 or (line if parsed.payload is None else parsed.payload.encode())
        return RecordedMessage(parsed.device, _moment(parsed.time), payload)
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError, OverflowError, OSError) as error:
        raise DryRunError(f"line {number}: a recorded message is a JSON object with device and time: {error}") from error


def _moment(time: float | str) -> datetime:
    if isinstance(time, str):
        moment = datetime.fromisoformat(time)
        if moment.tzinfo is None:
            raise ValueError(f"time {time[:40]!r} has no offset: write Z for UTC")
        return moment.astimezone(UTC)
    return datetime.fromtimestamp(time, UTC)


def _summary(row: Mapping[str, Any]) -> str:
    values = f"{row['count']} values, mean {row['sum'] / row['count']:g} {row['unit']}, {row['min']:g} to {row['max']:g}"
    return f"{row['device_id']} {row['channel']}: {values}, in the {row['window_seconds']} s from {_time(row['window_start'])}"


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
