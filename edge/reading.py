"""Defines a reading, and what any payload must be to become a reading: names, finite values, a believable time. Pure.

Nothing is guessed: what breaks a rule here is a PayloadError, and the payload format that met it rejects those bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Protocol

import msgspec

from schemas.envelope import ID_PATTERN, micros
from schemas.intervals import SEQ_LIMIT

MAX_CHANNELS = 64
MAX_VALUE = 1e15
_EARLIEST_US = 946_684_800_000_000
"""The year 2000: what is said to be older comes from a device whose clock was never set."""
_LATEST_US = 4_102_444_800_000_000
"""The year 2100: what is said to be later counts in another unit."""
_UNITS_OF_TIME = {"s": 1_000_000, "ms": 1_000, "us": 1}
_THESE_DAYS_US = 2 * 366 * 86_400 * 1_000_000
_LONGEST_UPTIME = 1e9
OVERSIZED_KEPT_BYTES = 65_536
"""How many bytes of a message over the limit its reject keeps."""


class Bands(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Holds what a model asked of a frame: log10 energies, and the fingerprint of the edge.spectrum.Spectrum that they are of."""

    spectrum: str
    energies: tuple[float, ...]


class Reading(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Holds a reading in the form that the journal keeps, times in microseconds since 1970."""

    # Not keyword-only: the journal keeps a reading as an array, in the order of the fields.
    device_id: str
    event_us: int
    arrived_us: int
    time_quality: str
    boot: str | None
    seq: int | None
    sensor_time: bool
    values: dict[str, float]
    bands: Bands | None = None
    """Those of a frame, for a model alone: they are no channels, and nobody summarises them."""
    may_be_old: bool = False
    """It has no time of its own, and may have waited in the broker: the time of its arrival is an estimate, however good the clock is."""
    more_bands: tuple[Bands, ...] = ()
    """Those of a further model, while one takes over from another or runs in its shadow."""

    @property
    def all_bands(self) -> tuple[Bands, ...]:
        return (self.bands, *self.more_bands) if self.bands else ()


@dataclass(frozen=True, slots=True)
class Rejected:
    """Holds a message, or an item of one, that is no reading: `reason` is a fixed word, `message` a sentence."""

    reason: str
    message: str
    body: bytes
    device_id: str | None = None
    topic: str | None = None
    seq: int | None = None
    """The sensor's own number of it, if that can be read: then the reading is refused, but not missing."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds what a reading may be, in seconds and bytes. Times are not judged by a clock that is not known."""

    max_payload_bytes: int = 65_536
    max_future_seconds: int = 300
    max_age_seconds: int = 1800 * 86400
    is_clock_known: bool = True
    is_steadily_ahead: Callable[[str, int, int], bool] = lambda _device_id, _event_us, _arrived_us: False
    """Says whether a device's clock is known to be ahead by as much as this reading: edge.intake.ahead."""


class Stamp(Protocol):
    """Holds what a sensor says of a reading besides its values."""

    @property
    def time(self) -> float | str | None: ...
    @property
    def seq(self) -> int | None: ...
    @property
    def boot(self) -> str | None: ...
    @property
    def device(self) -> str | None: ...


class PayloadError(ValueError):
    """Says why this is no reading: `reason` is a fixed word, the text a sentence."""

    def __init__(self, reason: str, message: str, device_id: str | None = None) -> None:
        """`device_id` is that of the sender, where it is not known anyway."""
        super().__init__(message)
        self.reason, self.device_id = reason, device_id


def shown(value: Any, length: int = 40) -> str:
    """Writes a value for a sentence, as far as it can be written: a number may have more digits than Python writes."""
    if not isinstance(value, str | int | float | datetime):
        return "a table" if isinstance(value, dict) else "a list" if isinstance(value, list) else f"a {type(value).__name__}"
    try:
        return str(value)[:length]
    except ValueError:
        return "a number of thousands of digits"


_pack = msgspec.msgpack.Encoder()


def oversized(payload: bytes, limits: Limits, left_out: int = 0) -> Rejected:
    """Rejects a message over the limit, which keeps the first OVERSIZED_KEPT_BYTES and says so."""
    size = f"{len(payload) + left_out} bytes, more than mqtt.max_payload_bytes = {limits.max_payload_bytes}"
    return Rejected("oversized", f"{size}; the first {OVERSIZED_KEPT_BYTES} are kept", payload[:OVERSIZED_KEPT_BYTES])


def dedup_key(reading: Reading, *, retained: bool = False) -> bytes | None:
    """Returns 8 bytes that a repetition of this reading shares; None without seq and time of the sensor, for then equal is not the same.

    `retained`: the broker kept it and sends it at each connection, so equal is the same.
    """
    if reading.seq is None and not reading.sensor_time and not retained:
        return None
    identity = (reading.device_id, reading.boot, reading.seq, reading.event_us if reading.sensor_time else None, reading.values)
    return blake2b(_pack.encode(identity), digest_size=8).digest()


def event_us(device_id: str, stamp: Stamp, arrived_us: int, limits: Limits) -> int:
    """Returns when it was measured, in microseconds since 1970: as the sensor says, else on arrival.

    Raises PayloadError, also for a wrong device, seq or boot.
    """
    if stamp.device is not None and stamp.device != device_id:
        raise PayloadError("bad_device", f"the reading says device {stamp.device[:80]!r}, its topic {device_id!r}")
    check_stamp(stamp.seq, stamp.boot)
    return arrived_us if stamp.time is None else believable(_micros_of(stamp.time), stamp.time, device_id, arrived_us, limits)


def check_stamp(seq: int | None, boot: str | None) -> None:
    """Raises PayloadError for what is no number of a reading, or no word of a start."""
    if seq is not None and not 0 <= seq < SEQ_LIMIT:
        raise PayloadError("wrong_type", f"seq {shown(seq)} is outside 0 to 2^62")
    if boot is not None and not is_name(boot):
        raise PayloadError("wrong_type", f"boot {boot[:80]!r} is not a short word")


def believable(event: int, time: Any, device_id: str, arrived_us: int, limits: Limits) -> int:
    """Returns a time that is neither too far ahead nor too long ago. Raises PayloadError, with a guess at what the number may be.

    Where the gateway does not know the time, a sensor may: then it is a time of this century. A device may be ahead for good.
    """
    earliest, latest = _EARLIEST_US, _LATEST_US
    if limits.is_clock_known:
        oldest, latest = arrived_us - limits.max_age_seconds * 1_000_000, arrived_us + limits.max_future_seconds * 1_000_000
        earliest = max(earliest, oldest)
    if event > latest and not (limits.is_clock_known and limits.is_steadily_ahead(device_id, event, arrived_us)):
        ahead = f"more than {limits.max_future_seconds} s ahead of the gateway" if limits.is_clock_known else "later than the year 2100"
        raise PayloadError("time_future", f"time {shown(time)} is {ahead}{_guess(time, arrived_us)}")
    if event < earliest:
        ago = f"more than {limits.max_age_seconds} s ago" if limits.is_clock_known else "before the year 2000"
        raise PayloadError("time_past", f"time {shown(time)} is {ago}{_guess(time, arrived_us)}")
    return event


def _guess(time: Any, arrived_us: int) -> str:
    """Says in which unit a number would be a time of these days; or that a small one counts from the start of the device."""
    try:
        number = float(time)
    except (TypeError, ValueError, OverflowError):
        return ""
    for unit, factor in _UNITS_OF_TIME.items():
        if abs(number * factor - arrived_us) < _THESE_DAYS_US:
            moment = datetime.fromtimestamp(number * factor / 1e6, UTC)
            return f'; as {unit} since 1970 it is {moment:%Y-%m-%d %H:%M:%S}: declare time_unit = "{unit}" in [sensors.payload]'
    if 0 <= number < _LONGEST_UPTIME:
        return '; it may count from the start of a device without a clock: declare time = "arrival" in [sensors.payload]'
    return ""


def check_values(values: Mapping[str, float]) -> None:
    """Raises PayloadError unless these are 1 to MAX_CHANNELS finite values under names of channels."""
    if not 0 < len(values) <= MAX_CHANNELS:
        raise PayloadError("no_values" if not values else "oversized", f"{len(values)} values; a reading has 1 to {MAX_CHANNELS}")
    for channel, value in values.items():
        if not is_name(channel):
            raise PayloadError("wrong_type", f"channel {channel[:80]!r} is not a name")
        if not -MAX_VALUE <= value <= MAX_VALUE:
            raise PayloadError("not_finite", f"{channel} is {value}, not a number of at most {MAX_VALUE:g}")


@lru_cache(8192)
def is_name(text: str) -> bool:
    """Says whether it can name a device, a channel or a boot."""
    return ID_PATTERN.fullmatch(text) is not None


def _micros_of(time: float | str) -> int:
    if isinstance(time, str) and time.strip().lstrip("-").replace(".", "", 1).isdecimal():
        raise PayloadError("wrong_type", f"time {time[:40]!r} is a number as text: declare in [sensors.payload] what it counts, time_unit")
    try:
        if not isinstance(time, str):
            return round(time * 1_000_000)
        moment = datetime.fromisoformat(time)
    except (ValueError, OverflowError) as error:
        raise PayloadError("wrong_type", f"time {shown(time)!r} is no time") from error
    if moment.tzinfo is None:
        raise PayloadError(
            "wrong_type", f"time {time[:40]!r} has no offset: write Z for UTC, or declare the zone that it is in, zone in [sensors.payload]"
        )
    return micros(moment)
