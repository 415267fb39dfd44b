"""Runs sensors in real time: each is an MQTT client of its own that publishes at QoS 1 and numbers its readings.

The values move through a season faster than life; the times are the real ones. Some messages are broken on purpose, and one sensor
is in nobody's registry: those must end as rejects. A message is recorded as attempted before it is sent.
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
from keys.holder import Role
from lab.services.farm import Farm
from lab.witness.oracle import MessageKey
from lab.witness.tap import Publication
from lab.world import field as fields
from lab.world.device import SimulatedDevice

UNREGISTERED = "soil-99"
"""A sensor that is in nobody's registry."""


@dataclass(slots=True)
class AttemptLog:
    """Records what sensors attempted to send: topic and payload -> the keys that it carries. Thread-safe."""

    _keys: dict[Publication, tuple[MessageKey, ...]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def record(self, publication: Publication, keys: tuple[MessageKey, ...]) -> None:
        with self._lock:
            self._keys[publication] = keys

    def attempted(self) -> set[MessageKey]:
        with self._lock:
            return {key for keys in self._keys.values() for key in keys}

    def keys(self, publications: Sequence[Publication]) -> set[MessageKey]:
        """Returns the keys that these messages carry. Raises KeyError for a message that no sensor sent."""
        with self._lock:
            return {key for publication in publications for key in self._keys[publication]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensor:
    """`message` encodes a time, a number and the seconds since the sensors started; the first number follows `last_seq`.

    The sensor publishes every `interval_ticks`.
    """

    device_id: str
    topic: str
    boot: str
    last_seq: int
    message: Callable[[datetime, int, float], bytes]
    interval_ticks: int = 1


class Sensors:
    """Runs sensors as a context manager: from entry to exit or `stop` there is a tick every `period` seconds."""

    def __init__(self, sensors: Sequence[Sensor], port: int, period: float, log: AttemptLog, farm: Farm | None = None) -> None:
        """With a farm each sensor shows its certificate, by TLS."""
        self._period, self._log = period, log
        self._stopping = threading.Event()
        self._clients = [(sensor, _client(sensor, farm)) for sensor in sensors]
        self._last_sent: dict[str, mqtt.MQTTMessageInfo] = {}
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
        """Waits until the broker has every message, at most so many seconds, and disconnects."""
        self._stopping.set()
        self._thread.join(10.0)
        deadline = time.monotonic() + seconds
        for message in self._last_sent.values():
            message.wait_for_publish(max(0.0, deadline - time.monotonic()))
        for _, client in self._clients:
            client.disconnect()
            client.loop_stop()

    def _run(self) -> None:
        started = time.monotonic()
        tick = 0
        while not self._stopping.wait(max(0.0, started + tick * self._period - time.monotonic())):
            for sensor, client in self._clients:
                for publication, keys in _messages(sensor, tick, time.monotonic() - started):
                    self._log.record(publication, keys)
                    self._last_sent[sensor.device_id] = client.publish(publication.topic, publication.payload, qos=1)
            tick += 1


def unregistered_sensor(gateway_id: str) -> Sensor:
    """Returns a sensor that nobody registered."""
    boot, values = _boot(), {"moisture": 0.25, "temperature": 20.0}
    return Sensor(
        device_id=UNREGISTERED,
        topic=fields.topic(gateway_id, UNREGISTERED),
        boot=boot,
        last_seq=0,
        message=lambda time, seq, _: fields.reading(time, seq, boot, values),
    )


def sensor(device: SimulatedDevice, last_seq: int, day: float, days_a_second: float) -> Sensor:
    """Returns the sensor of a field or machine, from that day of its season on."""
    boot = _boot()

    def message(time: datetime, seq: int, seconds: float) -> bytes:
        return device.message(time, seq, boot, day + seconds * days_a_second)

    return Sensor(
        device_id=device.device_id,
        topic=device.topic,
        boot=boot,
        last_seq=last_seq,
        message=message,
        interval_ticks=device.interval_ticks,
    )


def _boot() -> str:
    return secrets.token_hex(4)


def _client(sensor: Sensor, farm: Farm | None) -> mqtt.Client:
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=sensor.device_id, clean_session=False)
    client.max_inflight_messages_set(100)
    if farm:
        client.tls_set_context(farm.client_context(sensor.device_id, Role.SENSOR))
    return client


def _messages(sensor: Sensor, tick: int, seconds: float) -> Iterator[tuple[Publication, tuple[MessageKey, ...]]]:
    """Yields a reading, and at some ticks a broken message after it; every registered sensor breaks alike."""
    if tick % sensor.interval_ticks == 0:
        seq = sensor.last_seq + 1 + tick // sensor.interval_ticks
        yield Publication(sensor.topic, sensor.message(datetime.now(UTC), seq, seconds)), ((sensor.device_id, seq),)
    damage = _DAMAGE.get(tick)
    if damage and sensor.device_id != UNREGISTERED:
        payload = damage(f"{sensor.boot}-{tick}")
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


_DAMAGE: Mapping[int, Callable[[str], bytes]] = {7: _cut_short, 13: _wrong_type, 19: _not_a_number, 29: _without_a_clock, 37: _torn_frame}
"""Tick -> what is wrong with the message that is broken at it."""
