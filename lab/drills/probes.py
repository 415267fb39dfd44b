"""Simulates the sensors of a drill, and keeps what they measured: the raw readings that every figure is checked against."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from edge.gateway import MqttMessage
from lab.witness.oracle import MessageKey
from lab.world.field import reading, topic

UNITS: Mapping[str, str] = {"moisture": "m3/m3", "temperature": "degC"}


@dataclass(frozen=True, slots=True)
class RawReading:
    """Is one reading as the sensor took it, before anything else touched it."""

    device_id: str
    seq: int
    time: datetime
    values: Mapping[str, float]

    @property
    def key(self) -> MessageKey:
        return self.device_id, self.seq

    @property
    def payload(self) -> bytes:
        """Returns the message's bytes; they name the device, as the sensor's boot."""
        return reading(self.time, self.seq, self.device_id, self.values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """Measures every `interval`; every one of `gateways` hears it.

    `values` gives what it measures at a time, None while it is broken. `offset` is how far into the interval it speaks.
    """

    device_id: str
    gateways: tuple[str, ...]
    values: Callable[[datetime], Mapping[str, float] | None]
    interval: timedelta = timedelta(minutes=1)
    offset: timedelta = timedelta(seconds=7)

    def between(self, begin: datetime, end: datetime) -> Iterator[RawReading]:
        """Yields its readings from `begin`, inclusive, to `end`, exclusive, numbered since 1970."""
        first = -((self.offset - (begin - _EPOCH)) // self.interval) if begin > _EPOCH else 0
        number = first
        while (time := _EPOCH + self.offset + number * self.interval) < end:
            values = self.values(time)
            if time >= begin and values is not None:
                yield RawReading(self.device_id, number, time, values)
            number += 1

    def message(self, gateway_id: str, raw: RawReading) -> MqttMessage:
        return MqttMessage(topic(gateway_id, self.device_id), raw.payload)


@dataclass(slots=True)
class RawLog:
    """Keeps every reading that was attempted, and the keys of those that a gateway acknowledged."""

    readings: dict[MessageKey, RawReading] = field(default_factory=dict)
    acknowledged: set[MessageKey] = field(default_factory=set)
    keys: dict[bytes, MessageKey] = field(default_factory=dict)
    """The bytes of a message -> its reading."""

    def attempt(self, raws: Sequence[RawReading]) -> None:
        self.readings.update((raw.key, raw) for raw in raws)
        self.keys.update((raw.payload, raw.key) for raw in raws)

    def acknowledge(self, raws: Sequence[RawReading]) -> None:
        self.acknowledged.update(raw.key for raw in raws)

    def accepted(self) -> list[RawReading]:
        return [raw for key, raw in self.readings.items() if key in self.acknowledged]


_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
