"""Defines what a payload format is: it claims payloads by their first bytes, and reads what it claims."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from edge.config import Config
from edge.reading import Bands, Limits, Reading, Rejected, Stamp, event_us
from edge.settings.sensors import Sensors
from edge.spectrum import Spectrum
from edge.units import Range


@dataclass(frozen=True, slots=True)
class FormatSetup:
    """Holds what a format may know of its gateway. `spectra` are by the name of their [[models]]; `counted` is added to the ledger."""

    config: Config
    spectra: Mapping[str, Sequence[Spectrum]] = field(default_factory=dict)
    counted: Counter[str] = field(default_factory=Counter)
    model_ranges: Mapping[str, Mapping[str, Range]] = field(default_factory=dict)
    """By the name of [[models]] and channel: what its model was made for."""
    devices: DeviceNames | None = None

    def ranges(self, sensors: Sensors) -> dict[str, Range]:
        """Returns the valid ranges of a class, of the channels that have one: its own, and its model's."""
        of_model = self.model_ranges.get(sensors.model or "", {})
        ranges = {channel: sensors.valid(channel).within(of_model.get(channel, Range())) for channel in sensors.channels}
        return {channel: valid for channel, valid in ranges.items() if valid != Range()}


class DeviceNames(Protocol):
    """Gives a device that is named in a message its identifier."""

    def device(self, sensors: Sensors, name: str, beside: Iterable[Sensors] = ()) -> str | None:
        """Returns None for one of the classes beside it. Raises PayloadError for one that is of none."""
        ...


class Context(msgspec.Struct, frozen=True, gc=False):
    """Holds what is known of a message besides its payload: device and class by its topic, arrival in microseconds since 1970.

    `device_id` is empty where the device stands in the message; `channel` is that of the topic. `beside` are other classes that read it.
    """

    device_id: str
    sensors: Sensors
    arrived_us: int
    clock_quality: str
    limits: Limits
    channel: str | None = None
    beside: tuple[Sensors, ...] = ()


class Format(Protocol):
    """Reads payloads; a gateway has one, made of a FormatSetup. Usage: `if format.claims(payload): format.read(payload, context)`."""

    def claims(self, payload: bytes) -> bool:
        """Says whether the payload is of this format. Cheap, for it is asked of each message: by the first bytes, not by reading it."""
        ...

    def read(self, payload: bytes, context: Context) -> Iterator[Reading | Rejected]:
        """Yields each good reading of the payload, and each part that is none with its bytes, in order. Raises nothing, whatever the bytes.

        The payload is within context.limits.max_payload_bytes. What is wrong with it is a PayloadError until it becomes a Rejected.
        """
        ...


def reading_of(context: Context, stamp: Stamp, values: dict[str, float], bands: Sequence[Bands] = ()) -> Reading:
    """Makes the reading of these values, measured when `stamp` says. Raises PayloadError for a wrong device, time, seq or boot."""
    return Reading(
        device_id=context.device_id,
        event_us=event_us(context.device_id, stamp, context.arrived_us, context.limits),
        arrived_us=context.arrived_us,
        time_quality=context.clock_quality,
        boot=stamp.boot,
        seq=stamp.seq,
        sensor_time=stamp.time is not None,
        values=values,
        bands=bands[0] if bands else None,
        more_bands=tuple(bands[1:]),
    )
