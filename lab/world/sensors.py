"""Sensors in real time: each is an MQTT client of its own that publishes at QoS 1 and numbers its readings.

The values move through a season faster than life; the times are the real ones. Some messages are broken on purpose, and one sensor
is in nobody's registry: those must end as rejects. What was attempted is noted before it is sent.
"""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from edge.frame import MAGIC
from lab.witness.oracle import Name
from lab.witness.tap import Publication
from lab.world import field as fields
from lab.world.device import Device

STRANGER = "soil-99"
"""A sensor that is in nobody's registry."""


@dataclass(slots=True)
class Notebook:
    """What sensors attempted: topic and payload -> the names that it carries. Thread-safe."""

    _names: dict[Publication, tuple[Name, ...]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, publication: Publication, names: tuple[Name, ...]) -> None:
        with self._lock:
            self._names[publication] = names

    def attempted(self) -> set[Name]:
        with self._lock:
            return {name for names in self._names.values() for name in names}

    def names(self, publications: Sequence[Publication]) -> set[Name]:
        """Raises KeyError for a message that no sensor sent."""
        with self._lock:
            return {name for publication in publications for name in self._names[publication]}


@dataclass(frozen=True, slots=True)
class Sensor:
    """`tells` makes its message of a time, a number and the seconds since the start of all; `last_seq` is where its numbers go on from.

    It publishes at every turn that `every` divides.
    """

    device_id: str
    topic: str
    boot: str
    last_seq: int
    tells: Callable[[datetime, int, float], bytes]
    every: int = 1


class Sensors:
    """A context manager: from entry to exit or `stop` each sensor publishes every `period` seconds."""

    def __init__(self, sensors: Sequence[Sensor], port: int, period: float, notebook: Notebook) -> None:
        self._period, self._notebook = period, notebook
        self._stopping = threading.Event()
        self._clients = [(sensor, _client(sensor)) for sensor in sensors]
        self._sent: dict[str, mqtt.MQTTMessageInfo] = {}
        self._port = port
        self._thread = threading.Thread(target=self._run, name="sensors", daemon=True)

    def __enter__(self) -> Sensors:
        for _, client in self._clients:
            client.connect("127.0.0.1", self._port)
            client.loop_start()
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop(1.0)

    def stop(self, seconds: float = 10.0) -> None:
        """Waits until the broker has what was sent, at most so long."""
        self._stopping.set()
        self._thread.join(10.0)
        deadline = time.monotonic() + seconds
        for last in self._sent.values():
            last.wait_for_publish(max(0.0, deadline - time.monotonic()))
        for _, client in self._clients:
            client.disconnect()
            client.loop_stop()

    def _run(self) -> None:
        began = time.monotonic()
        turn = 0
        while not self._stopping.wait(max(0.0, began + turn * self._period - time.monotonic())):
            for sensor, client in self._clients:
                for publication, names in _messages(sensor, turn, time.monotonic() - began):
                    self._notebook.note(publication, names)
                    self._sent[sensor.device_id] = client.publish(publication.topic, publication.payload, qos=1)
            turn += 1


def stranger(gateway_id: str) -> Sensor:
    """A sensor that nobody registered."""
    boot, values = _boot(), {"moisture": 0.25, "temperature": 20.0}
    return Sensor(STRANGER, fields.topic(gateway_id, STRANGER), boot, 0, lambda time, seq, _: fields.reading(time, seq, boot, values))


def sensor(of: Device, last_seq: int, day: float, days_a_second: float) -> Sensor:
    """That of a field or machine, from that day of its season on."""
    boot = _boot()

    def tells(time: datetime, seq: int, seconds: float) -> bytes:
        return of.message(time, seq, boot, day + seconds * days_a_second)

    return Sensor(of.device_id, of.topic, boot, last_seq, tells, of.every_turns)


def _boot() -> str:
    return secrets.token_hex(4)


def _client(sensor: Sensor) -> mqtt.Client:
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=sensor.device_id, clean_session=False)
    client.max_inflight_messages_set(100)
    return client


def _messages(sensor: Sensor, turn: int, seconds: float) -> Iterator[tuple[Publication, tuple[Name, ...]]]:
    """A reading, and at some turns something broken after it. The first sensor of a gateway is no more reliable than the others."""
    if turn % sensor.every == 0:
        seq = sensor.last_seq + 1 + turn // sensor.every
        yield Publication(sensor.topic, sensor.tells(datetime.now(UTC), seq, seconds)), ((sensor.device_id, seq),)
    kind = _BROKEN.get(turn)
    if kind and sensor.device_id != STRANGER:
        payload = kind(f"{sensor.boot}-{turn}")
        yield Publication(sensor.topic, payload), (payload,)


def _cut_short(mark: str) -> bytes:
    return f'{{"boot": "{mark}", "values": {{"moisture": 0.2'.encode()


def _wrong_type(mark: str) -> bytes:
    return json.dumps({"boot": mark, "values": {"moisture": "wet"}}).encode()


def _not_a_number(mark: str) -> bytes:
    return f'{{"boot": "{mark}", "values": {{"moisture": NaN}}}}'.encode()


def _without_a_clock(mark: str) -> bytes:
    return json.dumps({"time": 12.5, "boot": mark, "values": {"moisture": 0.2}}).encode()


def _torn_frame(mark: str) -> bytes:
    header = json.dumps({"channel": "acceleration", "rate_hz": 12_000, "boot": mark}).encode()
    return MAGIC + len(header).to_bytes(2, "little") + header + bytes(1001)


_BROKEN: Mapping[int, Callable[[str], bytes]] = {7: _cut_short, 13: _wrong_type, 19: _not_a_number, 29: _without_a_clock, 37: _torn_frame}
"""Turn -> what goes wrong at it."""
