"""Turns MQTT messages into readings and rejected payloads that are not stored yet, without repeats. No I/O.

A message that comes again is recognised: a reading by the time that its sensor gives it, with its number and values; one with a number
alone, and a rejected payload, only if the broker says that it delivers again. A reading without number and time has no key: it may be
stored twice, never lost.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import msgspec

from edge.config import Config
from edge.intake.ahead import Ahead
from edge.intake.dedup import RecentKeys, rejected_key, unpacked
from edge.intake.known_devices import KnownDevices
from edge.intake.reader import MqttMessage, Reader
from edge.intake.rejects import next_batch
from edge.intake.sender_limits import SenderLimits
from edge.reading import Reading, Rejected, dedup_key
from edge.settings.sensors import Sensors
from edge.spectrum import Spectrum
from edge.store.section import Sections
from edge.units import Range
from schemas.envelope import micros
from schemas.records import TimeQuality

_READINGS_REMEMBERED = 100_000
_REJECTED_REMEMBERED = 512

__all__ = ["Inbox", "KeyedReading", "MqttMessage"]


class KeyedReading(msgspec.Struct, frozen=True, gc=False):
    """Holds a reading, and the key by which its repetition is recognised."""

    reading: Reading
    dedup_key: bytes | None


class Inbox:
    """Sorts messages into `readings` and `rejected`, which wait to be stored.

    Usage: `inbox.receive(messages, now, clock_quality)`, store `inbox.readings`, `inbox.readings_stored(count)`; cut what
    `inbox.next_rejected()` returns, `inbox.rejected_cut(count)`. The cut that stores what `next_rejected` returned commits `rejected_keys`;
    any cut may commit `sections`.
    """

    def __init__(  # noqa: PLR0913 - made in one place
        self,
        config: Config,
        stored_keys: Iterable[int],
        section: Sections,
        spectra: Mapping[str, Sequence[Spectrum]] | None = None,
        model_ranges: Mapping[str, Mapping[str, Range]] | None = None,
        ahead: Ahead | None = None,
    ) -> None:
        """`stored_keys` are the dedup keys of readings, oldest first; `spectra` and `model_ranges` are by the name of their [[models]]."""
        names = section("names")
        self._reader = Reader(config, spectra, model_ranges, names, ahead)
        self._devices = KnownDevices(config.limits, section("devices"))
        self._limits = SenderLimits(config.limits, config.sensors, self._devices)
        self.sections = names, self._devices.section
        self._stored = RecentKeys((key.to_bytes(8, "big") for key in stored_keys), _READINGS_REMEMBERED)
        self.rejected_keys = section("rejected")
        self._known_rejected = RecentKeys(unpacked(self.rejected_keys.get() or b""), 2 * _REJECTED_REMEMBERED)
        self._cut_keys = unpacked(self.rejected_keys.get() or b"")
        self._waiting_keys: list[bytes] = []
        self.readings: list[KeyedReading] = []
        self.rejected: list[Rejected] = []
        self.counted = self._reader.counted

    @property
    def devices(self) -> int:
        """Says how many devices that the configuration knows have sent a message."""
        return self._reader.routes.devices

    @property
    def device_names(self) -> Collection[str]:
        """Returns the devices that are known, from before too."""
        return self._devices.names

    def fit(self, spectra: Mapping[str, Sequence[Spectrum]], model_ranges: Mapping[str, Mapping[str, Range]]) -> None:
        """Reads what comes from now on as these models need it."""
        self._reader.fit(spectra, model_ranges)

    def adopt(self, device_ids: Iterable[str]) -> None:
        """Knows devices of which something is remembered from before."""
        classes = ((device_id, self.sensors(device_id)) for device_id in device_ids)
        self._devices.adopt((device_id, sensors.name if sensors else "") for device_id, sensors in classes)

    def forgotten(self) -> Collection[str]:
        """Forgets devices that are known no more, and returns them: now and then some."""
        if gone := self._devices.forgotten():
            self._reader.routes.forget(gone)
            self.counted["devices_forgotten"] += len(gone)
        return gone

    def receive(self, messages: Sequence[MqttMessage], now: datetime, clock_quality: str) -> None:
        """Reads messages. `clock_quality` is that of the gateway's own clock."""
        arrived_us = micros(now)
        self._devices.advance(arrived_us)
        for message in messages:
            for result in self._reader.read(message, arrived_us, clock_quality):
                if isinstance(result, Reading):
                    self._keep(result, message)
                else:
                    self._reject(replace(result, topic=message.topic), dup=message.dup)

    def set_aside(self, rejected: Rejected, *, dup: bool = False) -> None:
        """Takes what is to be a reject though it was a reading. `dup`: it may have been taken before."""
        self._reject(rejected, dup=dup)

    def readings_stored(self, count: int) -> None:
        """Forgets the first `count` readings, for they are in the journal."""
        del self.readings[:count]

    def next_rejected(self) -> Sequence[Rejected]:
        """Returns what the next batch of rejects is to hold, none if nothing waits."""
        rejected = next_batch(self.rejected)
        self.rejected_keys.set("", b"".join(self._keys_after(len(rejected))))
        return rejected

    def rejected_cut(self, count: int) -> None:
        """Forgets the first `count` rejected payloads, for they are cut into a batch."""
        self._cut_keys = self._keys_after(count)
        del self._waiting_keys[:count], self.rejected[:count]

    def sensors(self, device_id: str) -> Sensors | None:
        """Returns the device's class."""
        return self._reader.routes.sensors(device_id)

    def _keep(self, reading: Reading, message: MqttMessage) -> None:
        """Keeps a reading unless it came before. A number without a time proves nothing: a sensor that sleeps may begin at 1 each time."""
        if not reading.sensor_time and message.may_be_old:
            quality = TimeQuality.ESTIMATED if reading.time_quality == TimeQuality.SYNCED else reading.time_quality
            reading = msgspec.structs.replace(reading, time_quality=quality, may_be_old=True)
        key = dedup_key(reading, retained=message.retain)
        is_known = key is not None and not self._stored.is_new(key)
        if is_known and (reading.sensor_time or message.dup or message.retain):
            self.counted["readings_repeated"] += 1
            return
        sensors = self._reader.routes.sensors(reading.device_id)
        if sensors is None or self._limits.is_within(reading, sensors.name):
            self.readings.append(KeyedReading(reading, key))
        else:
            self._keep_some(reading, sensors, message, key)

    def _keep_some(self, reading: Reading, sensors: Sensors, message: MqttMessage, key: bytes | None) -> None:
        """Keeps what the limits admit of a reading that may be over one of them. One without a class is not counted: nobody asks for it."""
        taken, rejected = self._limits.admit(reading, sensors)
        if rejected:
            self.counted["readings_over_limit"] += 1
            self._reject(replace(rejected, topic=message.topic), dup=message.dup)
        if taken:
            self.readings.append(KeyedReading(taken, key))

    def _reject(self, rejected: Rejected, *, dup: bool) -> None:
        key = rejected_key(rejected)
        if dup and key in self._known_rejected:
            self.counted["readings_repeated"] += 1
            return
        self._known_rejected.is_new(key)
        self._waiting_keys.append(key)
        self.rejected.append(rejected)

    def _keys_after(self, count: int) -> list[bytes]:
        """Returns the keys of the payloads rejected last, once the next `count` are cut too."""
        return [*self._cut_keys, *self._waiting_keys[:count]][-_REJECTED_REMEMBERED:]
