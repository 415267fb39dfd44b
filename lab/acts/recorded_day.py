"""Records a day of two gateways by their own code, in simulated time, from a seed: with all that happens on a bad day.

Readings are lost, repeated, late, broken; a device is heard by both gateways, by each only in part; one is registered nowhere; a channel
hardly changes and is held by its deadband; batches come again, in another order, and as corrupt copies; some messages are no batch.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from edge.config import load
from edge.gateway import Gateway, MqttMessage
from edge.store.store import Store
from edge.uplink.export import export
from edge.uplink.signer import Sign, signing
from lab.acts.gateways import BUNDLES, TOPIC
from lab.acts.history import open_gateway
from lab.acts.signatures import LabKeys
from lab.world import field
from schemas.envelope import entry
from schemas.message import all_attributes

EVERY = timedelta(minutes=2)
"""How often a sensor measures."""
_FIRST, _SECOND = field.GATEWAYS
_DEVICES = {_FIRST: ("soil-01", "soil-02", "soil-99"), _SECOND: ("soil-06", "soil-07")}
"""Gateway -> the devices that it alone hears; soil-99 is registered nowhere."""
_SHARED = "soil-03"
_COLD_HOURS = (0, 2)
"""Which of three hours are cold: a frost ends and comes back, and one lasts at the end of the day."""
_DRY = ("soil-06", "soil-07")
_EXPORT = "export"
_ODD_FILE = "odd.tbb"

_SETTINGS = """\
[gateway]
id = "{gateway_id}"
state_dir = "{state}"
heartbeat_seconds = 900

[mqtt]
host = "127.0.0.1"
topic = "{topic}"

[windows]
seconds = 300
grace_seconds = 30

[batches]
seconds = 900

[uplink]
kind = "pubsub"
topic = "{pubsub_topic}"

[health]
port = 0

[[sensors]]
name = "soil"
devices = ["soil-*"]
channels = {{ moisture = "m3/m3", temperature = "degC" }}
model = "soil"
deadband = {{ moisture = 0.01 }}

[[sensors.thresholds]]
name = "frost"
channel = "temperature"
below = 1.0
hysteresis = 1.0
severity = "warning"

[[models]]
name = "soil"
bundle = "{bundles}/soil"
"""


@dataclass(frozen=True, slots=True)
class Message:
    """Is what a gateway published, or what somebody else did."""

    attributes: dict[str, str]
    body: bytes
    sound: bool = True


@dataclass(frozen=True, slots=True)
class Recording:
    """Holds the messages of a day in the order in which they were published, before and after the pipeline's restart."""

    before: tuple[Message, ...]
    after: tuple[Message, ...]
    files: Path
    """The export files that hold the same batches."""
    registry: Path
    """The registry's file, which knows the gateways' keys."""
    signatures: str
    """The flag that names the pipeline's key."""


@dataclass(frozen=True, slots=True)
class RecordedDay:
    """Says which day is recorded: from when, how long, and the seed of its readings, faults and orders."""

    begin: datetime
    hours: int
    seed: int

    @classmethod
    def until(cls, now: datetime, hours: int, seed: int) -> RecordedDay:
        """Returns the day that ended some hours ago."""
        return cls(now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=hours + 2), hours, seed)


def record(directory: Path, day: RecordedDay) -> Recording:
    """Records a day: equal days are recorded alike, but for the random names of the gateways' stores."""
    rng = random.Random(day.seed)
    readings = sorted(_readings(day, rng), key=lambda reading: reading.arrives)
    files = directory / _EXPORT
    batches = [message for gateway_id in field.GATEWAYS for message in _gateway(directory, gateway_id, readings, day)]
    odd = _odd_messages(batches, rng)
    (files / _ODD_FILE).write_bytes(b"".join(entry(message.attributes, message.body) for message in odd))
    published = _published(batches, odd, rng)
    restart = len(published) // 2 + rng.randrange(5)
    after = (*rng.sample(published[:restart], restart // 5), *published[restart:])
    return Recording(tuple(published[:restart]), after, files, _registry(directory), LabKeys(directory).pipeline_flag)


def _registry(directory: Path) -> Path:
    """Writes the registry with the gateways' keys."""
    file = directory / field.REGISTRY.name
    file.write_text(field.REGISTRY.read_text())
    LabKeys(directory).register(file, field.GATEWAYS)
    return file


@dataclass(frozen=True, slots=True)
class _Reading:
    """Is one message of a sensor on its way to one gateway."""

    gateway_id: str
    arrives: datetime
    device_id: str
    payload: bytes


def _readings(day: RecordedDay, rng: random.Random) -> Iterator[_Reading]:
    for gateway_id, devices in _DEVICES.items():
        for device_id in (*devices, _SHARED):
            for number in range(day.hours * 3600 // int(EVERY.total_seconds())):
                yield from _ways(gateway_id, device_id, day.begin + number * EVERY, number + 1, rng)


def _ways(gateway_id: str, device_id: str, time: datetime, seq: int, rng: random.Random) -> Iterator[_Reading]:
    """Yields how a reading comes to a gateway: not at all, once, twice, late or broken."""
    fate = rng.random()
    if fate < (0.3 if device_id == _SHARED else 0.05):
        return
    payload = _payload(device_id, time, seq)
    if fate > 0.99:
        payload = payload[: len(payload) // 2]
    late = timedelta(minutes=rng.randrange(10, 50)) if 0.9 < fate < 0.93 else timedelta(seconds=rng.randrange(5))
    yield _Reading(gateway_id, time + late, device_id, payload)
    if 0.93 < fate < 0.96:
        yield _Reading(gateway_id, time + late + timedelta(minutes=rng.randrange(30)), device_id, payload)


def _payload(device_id: str, time: datetime, seq: int) -> bytes:
    """Encodes what the sensor measures: the same, whoever hears it."""
    noise = random.Random(f"{device_id} {seq}")
    cold = 21.0 if (seq - 1) * EVERY // timedelta(hours=1) % 3 in _COLD_HOURS else 0.0
    moisture = round((0.12 if device_id in _DRY else 0.24) - 0.0001 * seq + noise.gauss(0, 0.001), 4)
    return field.reading(time, seq, "b1", {"moisture": moisture, "temperature": round(20.0 - cold + noise.gauss(0, 1.5), 2)})


def _gateway(directory: Path, gateway_id: str, readings: Sequence[_Reading], day: RecordedDay) -> list[Message]:
    """Runs one gateway through the day, a tick a minute. Returns its batches in their order, and exports them."""
    own = deque(reading for reading in readings if reading.gateway_id == gateway_id)
    messages: list[Message] = []
    settings = _settings(directory, gateway_id)
    sign = signing(load(settings).signing_keys)
    with open_gateway(settings, day.begin) as (gateway, store):
        for minute in range(1, day.hours * 60 + 61):
            now = day.begin + timedelta(minutes=minute)
            _minute(gateway, gateway_id, [own.popleft() for _ in range(len(own)) if own[0].arrives <= now], now)
            if minute % 20 == 0:
                messages += _delivered(store, directory, sign)
        gateway.flush(gateway.end_of_windows(now + timedelta(minutes=1)))
        return [*messages, *_delivered(store, directory, sign)]


def _delivered(store: Store, directory: Path, sign: Sign) -> list[Message]:
    """Exports what waits, and confirms it as Pub/Sub would: the next heartbeat says that nothing waits any more."""
    waiting = sign(store.batches(0, 1_000_000))
    export(store, directory / _EXPORT, sign)
    store.confirm([batch.key for batch in waiting])
    return [Message(all_attributes(batch.envelope, batch.signature), batch.body) for batch in waiting]


def _minute(gateway: Gateway, gateway_id: str, arrived: Sequence[_Reading], now: datetime) -> None:
    gateway.accept([MqttMessage(field.topic(gateway_id, reading.device_id), reading.payload) for reading in arrived], now)
    gateway.tick(now)


def _odd_messages(batches: Sequence[Message], rng: random.Random) -> list[Message]:
    """Makes corrupt copies of batches, and messages that are none."""
    corrupt = [Message(message.attributes, message.body[:-2] + b"\0\0", sound=False) for message in rng.sample(batches, 3)]
    return [*corrupt, Message({"gateway_id": _FIRST}, b"hello", sound=False), Message({"origin": "x"}, b"\xff\x00", sound=False)]


def _published(batches: Sequence[Message], odd: Sequence[Message], rng: random.Random) -> list[Message]:
    """Puts batches into an order that is not theirs, with repeats; a corrupt copy may come before the good one."""
    messages = [*batches, *rng.sample(batches, len(batches) // 6), *odd]
    places = {number: number % len(batches) + rng.gauss(0, 6) for number in range(len(messages))}
    return [messages[number] for number in sorted(places, key=places.__getitem__)]


def _settings(directory: Path, gateway_id: str) -> Path:
    file = directory / f"{gateway_id}.toml"
    text = _SETTINGS.format(
        gateway_id=gateway_id,
        state=directory / gateway_id,
        topic=field.topic(gateway_id, "+"),
        pubsub_topic=TOPIC,
        bundles=BUNDLES,
    )
    file.write_text(text + LabKeys(directory).settings(gateway_id))
    return file
