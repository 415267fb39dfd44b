"""An MQTT message -> readings, each good item on its own. Pure; nothing is guessed: what is not understood is refused with its bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import blake2b
from typing import Protocol

import msgspec

from schemas.envelope import ID_PATTERN, micros

MAX_ITEMS = 10_000
MAX_CHANNELS = 64
MAX_VALUE = 1e15
KEPT_OF_OVERSIZED = 65_536
"""How many bytes of a message over the limit are kept in its reject."""


class Bands(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a model asked of a frame: log10 energies, and the fingerprint of the edge.spectrum.Spectrum that they are of."""

    spectrum: str
    energies: tuple[float, ...]


class Reading(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A reading in the form that the journal keeps. Times in microseconds since 1970."""

    device_id: str
    event_us: int
    arrived_us: int
    time_quality: str
    boot: str | None
    seq: int | None
    sensor_time: bool
    values: dict[str, float]
    bands: Bands | None = None
    """Of a frame, for a model alone: they are no channels, and nobody summarises them."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """A message or an item of one that is no reading: reason is a fixed word, message a sentence."""

    reason: str
    message: str
    body: bytes
    device_id: str | None = None
    topic: str | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """What a reading may be. Seconds and bytes."""

    max_payload_bytes: int = 65_536
    max_future_seconds: int = 300
    max_age_seconds: int = 1800 * 86400


class Stamp(Protocol):
    """What a sensor says of a reading besides its values."""

    @property
    def time(self) -> float | str | None: ...
    @property
    def seq(self) -> int | None: ...
    @property
    def boot(self) -> str | None: ...
    @property
    def device(self) -> str | None: ...


class _Item(msgspec.Struct):
    values: dict[str, float]
    time: float | str | None = None
    seq: int | None = None
    boot: str | None = None
    device: str | None = None


class PayloadError(ValueError):
    """Why this is no reading: reason is a fixed word, the text a sentence."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


_item = msgspec.json.Decoder(_Item)
_items = msgspec.json.Decoder(list[msgspec.Raw])
_pack = msgspec.msgpack.Encoder()
# The messages of one commit arrive at the same time.
_arrival = lru_cache(1)(micros)


def parse(device_id: str, payload: bytes, now: datetime, clock_quality: str, limits: Limits) -> Iterator[Reading | Rejected]:
    """Readings and refusals in the order of the message. `clock_quality` is that of the gateway's own clock.

    The message must not be larger than the limit: see `oversized`.
    """
    try:
        items = _split(payload)
    except PayloadError as refused:
        yield Rejected(refused.reason, str(refused), payload, device_id)
        return
    arrived = _arrival(now)
    for item in items:
        try:
            yield _reading(device_id, item, arrived, clock_quality, limits)
        except PayloadError as refused:
            yield Rejected(refused.reason, str(refused), bytes(item), device_id)


def oversized(payload: bytes, limits: Limits) -> Rejected:
    """The refusal of a message over the limit: it keeps the first KEPT_OF_OVERSIZED bytes and says so."""
    said = f"{len(payload)} bytes, more than mqtt.max_payload_bytes = {limits.max_payload_bytes}; the first {KEPT_OF_OVERSIZED} are kept"
    return Rejected("oversized", said, payload[:KEPT_OF_OVERSIZED])


def dedup_key(reading: Reading) -> bytes | None:
    """8 bytes that a repetition of this reading shares; None if the sensor sends neither seq nor time, so that equal is not the same."""
    if reading.seq is None and not reading.sensor_time:
        return None
    told = (reading.device_id, reading.boot, reading.seq, reading.event_us if reading.sensor_time else None, reading.values)
    return blake2b(_pack.encode(told), digest_size=8).digest()


def event_us(device_id: str, said: Stamp, arrived: int, limits: Limits) -> int:
    """When it was measured, in microseconds: as the sensor says, else on arrival. Raises Refused, also for a wrong device, seq or boot."""
    if said.device is not None and said.device != device_id:
        raise PayloadError("bad_device", f"the reading says device {said.device[:80]!r}, its topic {device_id!r}")
    _check(said)
    return arrived if said.time is None else _event_time(said.time, arrived, limits)


def _split(payload: bytes) -> list[bytes] | list[msgspec.Raw]:
    if payload[:1] == b"{" or payload.lstrip()[:1] != b"[":
        return [payload]
    try:
        items = _items.decode(payload)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise PayloadError("malformed_json", f"not valid JSON: {error}") from error
    if len(items) > MAX_ITEMS:
        raise PayloadError("oversized", f"{len(items)} readings in one message, more than {MAX_ITEMS}")
    return items


def _reading(device_id: str, body: bytes | msgspec.Raw, arrived: int, clock_quality: str, limits: Limits) -> Reading:
    item = _decoded(body)
    _check_values(item.values)
    event = event_us(device_id, item, arrived, limits)
    return Reading(device_id, event, arrived, clock_quality, item.boot, item.seq, item.time is not None, item.values)


def _decoded(body: bytes | msgspec.Raw) -> _Item:
    try:
        return _item.decode(body)
    except msgspec.ValidationError as error:
        raise PayloadError("wrong_type", f"not a reading: {error}") from error
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise PayloadError("malformed_json", f"not valid JSON: {error}") from error


def _check(item: Stamp) -> None:
    if item.seq is not None and not 0 <= item.seq < 2**62:
        raise PayloadError("wrong_type", f"seq {item.seq} is outside 0 to 2^62")
    if item.boot is not None and not is_name(item.boot):
        raise PayloadError("wrong_type", f"boot {item.boot[:80]!r} is not a short word")


def _check_values(values: Mapping[str, float]) -> None:
    if not 0 < len(values) <= MAX_CHANNELS:
        raise PayloadError("no_values" if not values else "oversized", f"{len(values)} values; a reading has 1 to {MAX_CHANNELS}")
    for channel, value in values.items():
        if not is_name(channel):
            raise PayloadError("wrong_type", f"channel {channel[:80]!r} is not a name")
        if not -MAX_VALUE <= value <= MAX_VALUE:
            raise PayloadError("not_finite", f"{channel} is {value}, not a number of at most {MAX_VALUE:g}")


@lru_cache(8192)
def is_name(text: str) -> bool:
    """Whether it can name a device, a channel or a boot."""
    return ID_PATTERN.fullmatch(text) is not None


def _event_time(time: float | str, arrived: int, limits: Limits) -> int:
    event = _micros_of(time)
    if event > arrived + limits.max_future_seconds * 1_000_000:
        raise PayloadError("time_future", f"time {time} is more than {limits.max_future_seconds} s ahead of the gateway")
    if event < arrived - limits.max_age_seconds * 1_000_000:
        raise PayloadError("time_past", f"time {time} is more than {limits.max_age_seconds} s ago")
    return event


def _micros_of(time: float | str) -> int:
    try:
        if isinstance(time, str):
            moment = datetime.fromisoformat(time)
            if moment.tzinfo is None:
                raise PayloadError("wrong_type", f"time {time[:40]!r} has no offset: write Z for UTC")
            return micros(moment)
        return round(time * 1_000_000)
    except (ValueError, OverflowError) as error:
        raise PayloadError("wrong_type", f"time {str(time)[:40]!r} is no time") from error
