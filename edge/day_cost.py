"""Estimates what a day costs in bytes up, from the batches that the gateway's own code cuts: for `tinybeam edge try` and `doctor`.

Counted is what the kind of uplink says of its requests (for Pub/Sub with headers and token); not TLS, TCP and what comes down.
"""

from __future__ import annotations

import json
import math
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from edge.config import Config
from edge.gateway import Gateway, MqttMessage
from edge.settings.sensors import Sensors
from edge.store.store import OutboxBatch, Store
from edge.units import Range
from edge.uplink.limits import Wire
from edge.uplink.pubsub_wire import varint_bytes
from edge.uplink.signer import signed_wire
from program.patterns import matches

DEVICES, HOURS = 5, 2
_START = datetime(2026, 5, 1, tzinfo=UTC)
_MINUTE = timedelta(minutes=1)
_DAY = timedelta(days=1)
_SPREAD = 35.0
_REQUESTS = "requests"
_ALL = 1_000_000


@dataclass(slots=True)
class Traffic:
    """Counts bytes: `raw` are what the sensors sent, as MQTT's PUBLISH packets at QoS 1; `up` are by kind of batch, and `requests`.
    `rows` and `batches` are by kind too.
    """

    raw: int = 0
    up: Counter[str] = field(default_factory=Counter)
    requests: int = 0
    rows: Counter[str] = field(default_factory=Counter)
    batches: Counter[str] = field(default_factory=Counter)

    def heard(self, messages: Iterable[MqttMessage]) -> None:
        self.raw += sum(map(packet_bytes, messages))

    def sent(self, wire: Wire, batches: Sequence[OutboxBatch]) -> None:
        """Counts batches that go together in one request."""
        for batch in batches:
            self.up[batch.envelope.kind] += wire.message(batch)
            self.rows[batch.envelope.kind] += batch.envelope.row_count
            self.batches[batch.envelope.kind] += 1
        self.up[_REQUESTS] += wire.around
        self.requests += 1

    def day(self, span: timedelta) -> DayCost:
        """Says what a day costs that is like this span."""
        days = max(span, _MINUTE) / _DAY
        return DayCost(self._sentence(days), self.up.total() / days)

    def _sentence(self, days: float) -> str:
        parts = [f"{name} {_kilobytes(size / days)}" for name, size in self.up.most_common() if name != _REQUESTS]
        requests = f"{self.requests / days:.0f} requests with their token {_kilobytes(self.up[_REQUESTS] / days)}"
        share = f"; the readings as MQTT are {_kilobytes(self.raw / days)}" if self.raw else ""
        return f"about {_kilobytes(self.up.total() / days)} a day: {', '.join([requests, *parts])}{share}"


@dataclass(frozen=True, slots=True)
class DayCost:
    """Says what a day costs in bytes up; 0 if nobody knows."""

    sentence: str
    bytes: float = 0.0


def wire_of(config: Config) -> Wire:
    """Returns what counts the bytes of batches that wait, as they will be sent."""
    return signed_wire(config.uplink.wire) if config.signing_keys else config.uplink.wire


def of_store(store: Store, wire: Wire, traffic: Traffic) -> None:
    """Counts everything that waits in a store, as if batches that were cut at one moment went together."""
    for _, together in groupby(store.batches(0, _ALL), key=lambda batch: batch.envelope.cut_time):
        traffic.sent(wire, list(together))


def of_config(config: Config) -> DayCost:
    """Says what a day costs if a few devices of each pattern send every channel once a minute. Models are left out."""
    sensors = tuple(msgspec.structs.replace(each, model=None, payload=None) for each in config.sensors if each.channels)
    if not sensors:
        return DayCost("not estimated: no class has channels, and frames depend on their samples")
    devices = [(name, each) for each in sensors for name in _devices(each)]
    plain = msgspec.structs.replace(config, sensors=sensors, models=())
    traffic = played(plain, devices, _MINUTE, timedelta(hours=HOURS))
    assumed = f"if {len(devices)} devices ({DEVICES} of each pattern) send all their channels once a minute, as JSON, without models"
    day = traffic.day(timedelta(hours=HOURS))
    return DayCost(f"{assumed}: {day.sentence}", day.bytes)


def played(config: Config, devices: Sequence[tuple[str, Sensors]], every: timedelta, span: timedelta) -> Traffic:
    """Plays readings that wander a little, one of each device `every` so long, for a span, and counts what a gateway sends of them."""
    with (
        TemporaryDirectory(dir=in_memory()) as folder,
        closing(Store(Path(folder) / "store.db", config.gateway.id, config.store.max_bytes)) as store,
    ):
        return play(config, store, devices, every, span)


def in_memory() -> str | None:
    """Returns a folder in memory where there is one: what is only counted need not wear out a card."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108


def packet_bytes(message: MqttMessage) -> int:
    """Counts the bytes of a PUBLISH packet at QoS 1: type, length (one byte to three), topic and its length, packet identifier, payload."""
    rest = 2 + len(message.topic.encode()) + 2 + len(message.payload)
    return 1 + varint_bytes(rest) + rest


def _kilobytes(size: float) -> str:
    return f"{size / 1000:,.0f} kB"


def _devices(sensors: Sensors) -> Iterator[str]:
    """Yields names of devices of the class; none for a pattern of sets of letters."""
    for pattern in sensors.devices:
        names = [pattern.replace("*", str(number)).replace("?", str(number)) for number in range(1, DEVICES + 1)]
        yield from (name for name in dict.fromkeys(names) if matches(name, sensors.devices))


def play(config: Config, store: Store, devices: Sequence[tuple[str, Sensors]], every: timedelta, span: timedelta) -> Traffic:
    """Does so in this store, which keeps the batches."""
    rng, traffic, gateway = Random(1), Traffic(), Gateway(config, store, _START)
    values = {(name, channel): rng.uniform(5, 30) for name, sensors in devices for channel in sensors.channels}
    for number in range(round(span / every)):
        now = _START + (number + 1) * every
        values = {key: value + rng.gauss(0, 0.05) for key, value in values.items()}
        messages = [
            _message(config, name, number, now, {channel: _value(of, channel, values[name, channel], number) for channel in of.channels})
            for name, of in devices
        ]
        traffic.heard(messages)
        gateway.accept(messages, now)
        gateway.tick(now)
    of_store(store, wire_of(config), traffic)
    return traffic


def _value(sensors: Sensors, channel: str, value: float, number: int) -> Any:
    """Returns what a device sends of a channel in its nth message."""
    kind = sensors.kinds.get(channel)
    return kind.example(number) if kind else round(_valid(value, sensors.valid(channel)), 2)


def _valid(value: float, valid: Range) -> float:
    """Returns a value like this that the channel can have: one that is rejected would cost another sum."""
    if value in valid:
        return value
    if math.isinf(valid.low):
        return valid.high - abs(value)
    share = abs(value) % _SPREAD / _SPREAD
    return valid.low + (share * (valid.high - valid.low) if math.isfinite(valid.high) else abs(value))


def _message(config: Config, device: str, seq: int, now: datetime, values: Mapping[str, Any]) -> MqttMessage:
    payload = {"time": now.timestamp() - 0.2, "seq": seq, "values": values}
    return MqttMessage(config.topic_of(device), json.dumps(payload, separators=(",", ":")).encode())
