"""Finds the class of a message by its topic: which device sent it, under which identifier, and how its payload is to be read.

A topic is looked at once; what was found is kept for the topics heard of late. No I/O but for the secrets that settings name, read once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

import msgspec

from edge.config import Config
from edge.intake.device_names import NameBook, identifier
from edge.reading import PayloadError
from edge.settings.sensors import Sensors
from edge.store.section import Section
from program import logs
from program.settings import ConfigError

_MAX_KEPT = 100_000

_log = logs.get(__name__)


class Route(msgspec.Struct, frozen=True, gc=False):
    """Says whose message it is. `device_id` is None where the device stands in the message; `channel` is that of the topic."""

    sensors: Sensors
    device_id: str | None
    channel: str | None = None
    beside: tuple[Sensors, ...] = ()
    """Other classes whose devices may stand in the message, too."""


class Routes:
    """Knows the topics and devices of all classes.

    Usage: `routes.known.get(topic) or routes.of_topic(topic)`, `routes.device(sensors, name)`.
    """

    def __init__(self, config: Config, names: Section) -> None:
        """`names` are those that devices have. Raises ConfigError for a key file that cannot be read."""
        self._config = config
        self._patterns = [(pattern, sensors) for sensors in config.sensors for pattern in config.topics_of(sensors)]
        self._keys = {sensors.name: _key(sensors) for sensors in config.sensors}
        self.known: dict[str, Route] = {}
        """Those of the topics heard of late."""
        self._classes: dict[str, Sensors | None] = {}
        self._names = NameBook(names)

    @property
    def devices(self) -> int:
        """Says how many devices that the configuration knows have sent a message."""
        return sum(sensors is not None for sensors in list(self._classes.values()))

    def of_topic(self, topic: str) -> Route:
        """Raises PayloadError for a topic or a device that is of no class."""
        if len(self.known) >= _MAX_KEPT:
            self.known.clear()
        route = self.known[topic] = self._found(topic)
        return route

    def device(self, sensors: Sensors, name: str, beside: Iterable[Sensors] = ()) -> str | None:
        """Returns the identifier of a device of this class, None for one of the classes beside it.

        Raises PayloadError if it is another's, or of none of them.
        """
        device_id = self._identifier(sensors, name)
        if self.sensors(device_id) is not sensors:
            if any(self.sensors(self._identifier(other, name)) is other for other in beside):
                return None
            raise PayloadError("no_sensor_class", f"device {device_id} is not among the devices of the class {sensors.name!r}")
        self._note(sensors, device_id, name)
        return device_id

    def sensors(self, device_id: str) -> Sensors | None:
        """Returns the device's class."""
        try:
            return self._classes[device_id]
        except KeyError:
            if len(self._classes) >= _MAX_KEPT:
                self._classes.clear()
            sensors = self._classes[device_id] = self._config.sensors_of(device_id)
            return sensors

    def forget(self, devices: Collection[str]) -> None:
        """Forgets the names of these devices. Topics are looked at anew, for a known one is not held against the names."""
        self._names.forget(devices)
        self.known.clear()

    def _found(self, topic: str) -> Route:
        names: list[str] = []
        fitting = list(self._fitting(topic))
        for sensors, device, channel in fitting:
            if _names_devices(sensors):
                beside = {other.name: other for other, _, _ in fitting if other is not sensors and _names_devices(other)}
                return Route(sensors, None, channel, tuple(beside.values()))
            device_id = self._identifier(sensors, device or "")
            if self.sensors(device_id) is sensors:
                self._note(sensors, device_id, device or "")
                return Route(sensors, device_id, channel)
            names.append(device_id)
        if not names:
            raise PayloadError("no_sensor_class", f"no [[sensors]] of the gateway's configuration has the topic {topic[:200]!r}")
        raise PayloadError("no_sensor_class", f"no [[sensors]] of the gateway's configuration is for device {names[0]}", names[0])

    def _fitting(self, topic: str) -> Iterator[tuple[Sensors, str | None, str | None]]:
        """Yields the classes that speak on the topic, with the names of device and channel in it."""
        for pattern, sensors in self._patterns:
            if found := pattern.match(topic):
                yield sensors, *found

    def _identifier(self, sensors: Sensors, name: str) -> str:
        prefix = sensors.payload.device_prefix if sensors.payload else ""
        return identifier(name, prefix, self._keys[sensors.name])

    def _note(self, sensors: Sensors, device_id: str, name: str) -> None:
        """Raises PayloadError if the identifier is that of a device of another name."""
        if refusal := self._names.refusal(device_id, name, is_secret=bool(self._keys[sensors.name])):
            raise PayloadError("bad_device", refusal)


def _names_devices(sensors: Sensors) -> bool:
    """Says whether the messages of a class name their devices, rather than their topics."""
    return sensors.payload is not None and sensors.payload.device is not None


def _key(sensors: Sensors) -> bytes:
    file = sensors.payload.hash_key_file if sensors.payload else None
    if file is None:
        return b""
    try:
        key = file.read_bytes().strip()
    except OSError as error:
        raise ConfigError(f"payload.hash_key_file {file}: {error.strerror}") from error
    if len(key) < 16:
        raise ConfigError(f"payload.hash_key_file {file}: a key has at least 16 bytes")
    return key
