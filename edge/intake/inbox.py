"""Messages -> readings and refusals that are not stored yet, without repeats. No I/O.

A message that the broker delivers again is recognised: a reading by what its sensor says of it (seq or time), a refusal by its bytes,
and that only if the broker says that it delivers again. A reading without seq and time has no identity: it may be stored twice, never lost.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import blake2b

import msgspec

from edge.config import Config, Sensors
from edge.frame import MAGIC
from edge.intake.dedup import RecentKeys, unpacked
from edge.intake.frame_features import FrameFeatures
from edge.reading import Limits, Reading, Rejected, dedup_key, is_name, oversized, parse
from edge.spectrum import Spectrum

_READINGS_REMEMBERED = 100_000
_REFUSALS_REMEMBERED = 512
_MOST_DEVICES = 100_000


class Message(msgspec.Struct, frozen=True, gc=False):
    """An MQTT message as it arrived. `again`: the broker says that it may have delivered it before."""

    topic: str
    payload: bytes
    again: bool = False


class Named(msgspec.Struct, frozen=True, gc=False):
    """A reading, and the identity by which a repetition is recognised."""

    reading: Reading
    dedup_key: bytes | None


class Inbox:
    """`readings` and `refusals` wait to be stored; who stored readings removes them, who stored refusals calls `refused`."""

    def __init__(self, config: Config, stored: Iterable[int], rejected: bytes, spectra: Mapping[str, Spectrum] | None = None) -> None:
        """`stored` are identities of readings, oldest first; `rejected` is what `identities_with` returned; `spectra` by [[models]]."""
        self._config = config
        self._limits = Limits(config.mqtt.max_payload_bytes, config.mqtt.max_future_seconds, config.mqtt.max_age_seconds)
        self._before, self._after = config.mqtt.topic.split("+")
        self._stored = RecentKeys((number.to_bytes(8, "big") for number in stored), _READINGS_REMEMBERED)
        self._refused = unpacked(rejected)
        self._known_refusals = RecentKeys(self._refused, 2 * _REFUSALS_REMEMBERED)
        self._waiting: list[bytes] = []
        self._classes: dict[str, Sensors | None] = {}
        self.readings: list[Named] = []
        self.refusals: list[Rejected] = []
        self.counted: Counter[str] = Counter()
        self._reducer = FrameFeatures(config, self._limits, spectra or {}, self.counted)

    @property
    def devices(self) -> int:
        """Devices heard of that the configuration knows."""
        return sum(sensors is not None for sensors in list(self._classes.values()))

    def take(self, messages: Sequence[Message], now: datetime, clock_quality: str) -> None:
        for message in messages:
            for one in self._read(message, now, clock_quality):
                if isinstance(one, Reading):
                    self._keep(one)
                else:
                    self._refuse(replace(one, topic=message.topic), again=message.again)

    def identities_with(self, count: int) -> bytes:
        """Identities of the refusals stored last, if the next `count` were stored too."""
        return b"".join([*self._refused, *self._waiting[:count]][-_REFUSALS_REMEMBERED:])

    def refused(self, count: int) -> None:
        """The next `count` refusals are stored."""
        self._refused = [*self._refused, *self._waiting[:count]][-_REFUSALS_REMEMBERED:]
        del self._waiting[:count], self.refusals[:count]

    def sensors(self, device_id: str) -> Sensors | None:
        """The device's class."""
        try:
            return self._classes[device_id]
        except KeyError:
            if len(self._classes) >= _MOST_DEVICES:
                self._classes.clear()
            found = self._classes[device_id] = self._config.sensors_of(device_id)
            return found

    def _read(self, message: Message, now: datetime, clock_quality: str) -> Iterable[Reading | Rejected]:
        device_id = message.topic.removeprefix(self._before).removesuffix(self._after)
        if len(message.payload) > self._limits.max_payload_bytes:
            return [oversized(message.payload, self._limits)]
        if not is_name(device_id):
            return [Rejected("bad_device", f"{device_id[:80]!r} is no device identifier", message.payload)]
        sensors = self.sensors(device_id)
        if sensors is None:
            said = f"no [[sensors]] of the gateway's configuration is for device {device_id}"
            return [Rejected("no_sensor_class", said, message.payload, device_id)]
        if message.payload[: len(MAGIC)] == MAGIC:
            return [self._reducer.read(device_id, sensors, message.payload, now, clock_quality)]
        return parse(device_id, message.payload, now, clock_quality, self._limits)

    def _keep(self, reading: Reading) -> None:
        name = dedup_key(reading)
        if name is None or self._stored.is_new(name):
            self.readings.append(Named(reading, name))
        else:
            self.counted["readings_repeated"] += 1

    def _refuse(self, refusal: Rejected, *, again: bool) -> None:
        told = "\n".join((refusal.topic or "", refusal.reason)).encode(errors="replace") + b"\n" + refusal.body
        name = blake2b(told, digest_size=8).digest()
        if again and name in self._known_refusals:
            self.counted["readings_repeated"] += 1
            return
        self._known_refusals.is_new(name)
        self._waiting.append(name)
        self.refusals.append(refusal)
