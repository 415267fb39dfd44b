"""Reads and writes the wire form of a frame, an MQTT message of raw samples on the topic of readings.

It has `TBF1`, the length of a header as uint16, the header in JSON, float32 samples to the end; little-endian.
The header's time, seq, boot and device mean what they mean in a reading.

Guarantees that what `decode` returns is finite and within the bounds below; it raises nothing but PayloadError, whatever the bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from edge.reading import MAX_VALUE, PayloadError
from edge.spectrum import MAX_RATE_HZ, MAX_SAMPLES, MIN_SAMPLES
from schemas.envelope import ID_PATTERN

if TYPE_CHECKING:
    from edge.spectrum import Floats

MAGIC = b"TBF1"
MAX_HEADER_BYTES = 1024
MAX_CHANNEL = 48
"""Letters of a channel's name: the names of its features and bands are longer."""

_LENGTH = struct.Struct("<H")
_START = len(MAGIC) + _LENGTH.size


class Header(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Holds what a sensor says of a frame. `rate_hz` is samples a second; the frame begins at `time`."""

    channel: str
    rate_hz: float
    time: float | str | None = None
    seq: int | None = None
    boot: str | None = None
    device: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """Holds the samples of one message: `samples` has shape (samples,), in the channel's unit."""

    header: Header
    samples: Floats


_header = msgspec.json.Decoder(Header)


def max_bytes(samples: int) -> int:
    """Returns how many bytes the largest payload with so many samples has."""
    return _START + MAX_HEADER_BYTES + 4 * samples


def encode(header: Header, samples: Sequence[float] | Floats) -> bytes:
    """Makes a payload that `decode` accepts. Raises PayloadError, a ValueError."""
    import numpy as np

    header_bytes = msgspec.json.encode(header)
    if len(header_bytes) > MAX_HEADER_BYTES:
        raise PayloadError("oversized", f"the header has {len(header_bytes)} bytes, more than {MAX_HEADER_BYTES}")
    with np.errstate(over="ignore"):
        payload = MAGIC + _LENGTH.pack(len(header_bytes)) + header_bytes + np.asarray(samples).astype("<f4").tobytes()
    decode(payload)
    return payload


def decode(payload: bytes) -> Frame:
    """Reads a payload. Raises PayloadError."""
    if payload[: len(MAGIC)] != MAGIC or len(payload) < _START:
        raise PayloadError("bad_frame", f"a frame begins with {MAGIC.decode()} and the length of its header")
    start = _START + _LENGTH.unpack_from(payload, len(MAGIC))[0]
    if start > _START + MAX_HEADER_BYTES:
        raise PayloadError("oversized", f"the header has {start - _START} bytes, more than {MAX_HEADER_BYTES}")
    if start > len(payload):
        raise PayloadError("bad_frame", "the header is longer than the message")
    return Frame(_read_header(payload[_START:start]), _read_samples(payload, start))


def _read_header(data: bytes) -> Header:
    try:
        header = _header.decode(data)
    except msgspec.ValidationError as error:
        raise PayloadError("wrong_type", f"not the header of a frame: {error}") from error
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise PayloadError("malformed_json", f"the header is not valid JSON: {error}") from error
    if len(header.channel) > MAX_CHANNEL or not ID_PATTERN.fullmatch(header.channel):
        raise PayloadError("wrong_type", f"channel {header.channel[:80]!r} is not a name of at most {MAX_CHANNEL} letters")
    if not 1 <= header.rate_hz <= MAX_RATE_HZ:
        raise PayloadError("wrong_type", f"rate_hz {header.rate_hz} is outside 1 to {MAX_RATE_HZ:g}")
    return header


def _read_samples(payload: bytes, start: int) -> Floats:
    import numpy as np

    count, rest = divmod(len(payload) - start, 4)
    if rest:
        raise PayloadError("bad_frame", f"{len(payload) - start} bytes of samples are no whole number of float32")
    if not MIN_SAMPLES <= count <= MAX_SAMPLES:
        raise PayloadError(
            "bad_frame" if count < MIN_SAMPLES else "oversized", f"{count} samples; a frame has {MIN_SAMPLES} to {MAX_SAMPLES}"
        )
    samples = np.frombuffer(payload, "<f4", count, start)
    # Before any arithmetic, which a signalling NaN would disturb.
    if not np.isfinite(samples).all() or float(np.abs(samples).max()) > MAX_VALUE:
        raise PayloadError("not_finite", f"a sample is no number of at most {MAX_VALUE:g}")
    return samples
