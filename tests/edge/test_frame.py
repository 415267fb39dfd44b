"""Frames on the wire: what goes in comes out, and nothing else comes out, whatever the bytes."""

from __future__ import annotations

import json
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from edge.frame import MAX_HEADER_BYTES, Frame, Header, decode, encode
from edge.reading import PayloadError

ZEROS = bytes(4 * 64)
GOOD = Header(channel="acceleration", rate_hz=12000.0, time=1.5, seq=3, boot="b")


def payload(header: Any, samples: bytes = ZEROS) -> bytes:
    head = header if isinstance(header, bytes) else json.dumps(header).encode()
    return b"TBF1" + struct.pack("<H", len(head)) + head + samples


HEADERS = st.builds(
    Header,
    channel=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,47}", fullmatch=True),
    rate_hz=st.floats(1, 1e6),
    time=st.none() | st.floats(0, 4e9) | st.just("2026-05-01T12:00:00Z"),
    seq=st.none() | st.integers(0, 2**62 - 1),
    boot=st.none() | st.just("b-1"),
    device=st.none() | st.just("d1"),
)
SAMPLES = st.integers(64, 300).flatmap(lambda count: arrays(np.float32, count, elements=st.floats(-(2.0**49), 2.0**49, width=32)))


@given(HEADERS, SAMPLES)
def test_what_goes_in_comes_out(header: Header, samples: Any) -> None:
    frame = decode(encode(header, samples))
    assert frame.header == header
    assert frame.samples.dtype == np.float32
    assert np.array_equal(frame.samples, samples)


def test_the_wire_form_is_the_documented_one() -> None:
    head = b'{"channel":"acceleration","rate_hz":12000.0,"time":1.5,"seq":3,"boot":"b"}'
    samples = struct.pack("<64f", *range(64))
    assert encode(GOOD, range(64)) == b"TBF1" + bytes([len(head), 0]) + head + samples
    assert decode(payload({"channel": "a", "rate_hz": 12000, "battery": 3})).header == Header(channel="a", rate_hz=12000.0)


BASE = {"channel": "a", "rate_hz": 12000}
BAD = [
    (b"", "bad_frame"),
    (b"TBF1", "bad_frame"),
    (b"TBF2" + payload(BASE)[4:], "bad_frame"),
    (b"TBF1\xff\xff", "oversized"),
    (b"TBF1" + struct.pack("<H", MAX_HEADER_BYTES) + b"{}", "bad_frame"),
    (payload(b"x" * (MAX_HEADER_BYTES + 1)), "oversized"),
    (payload(b""), "malformed_json"),
    (payload(b"{"), "malformed_json"),
    (payload(b"\xff\xfe"), "malformed_json"),
    (payload(b'{"x":' + b"[" * 1000), "malformed_json"),
    (payload(b'{"channel":"a","rate_hz":NaN}'), "malformed_json"),
    (payload([1]), "wrong_type"),
    (payload({"channel": "a"}), "wrong_type"),
    (payload({"rate_hz": 1}), "wrong_type"),
    (payload({**BASE, "channel": 7}), "wrong_type"),
    (payload({**BASE, "channel": "a b"}), "wrong_type"),
    (payload({**BASE, "channel": "a" * 49}), "wrong_type"),
    (payload({**BASE, "rate_hz": "fast"}), "wrong_type"),
    (payload({**BASE, "rate_hz": 0.99}), "wrong_type"),
    (payload({**BASE, "rate_hz": 1e6 + 1}), "wrong_type"),
    (payload({**BASE, "rate_hz": -1}), "wrong_type"),
    (payload(b'{"channel":"a","rate_hz":1e999}'), "wrong_type"),
    (payload({**BASE, "seq": 1.5}), "wrong_type"),
    (payload(BASE, ZEROS[:-1]), "bad_frame"),
    (payload(BASE, ZEROS + b"\0"), "bad_frame"),
    (payload(BASE, ZEROS[:-4]), "bad_frame"),
    (payload(BASE, b""), "bad_frame"),
    (payload(BASE, bytes(4 * 16385)), "oversized"),
    (payload(BASE, ZEROS + struct.pack("<f", float("inf"))), "not_finite"),
    (payload(BASE, ZEROS + struct.pack("<f", float("nan"))), "not_finite"),
    (payload(BASE, ZEROS + b"\x01\x00\x80\x7f"), "not_finite"),
    (payload(BASE, ZEROS + b"\xff" * 4), "not_finite"),
    (payload(BASE, ZEROS + struct.pack("<f", -2e15)), "not_finite"),
]


@pytest.mark.parametrize(("body", "reason"), BAD, ids=range(len(BAD)))
def test_what_is_no_frame_is_refused_with_a_fixed_word(body: bytes, reason: str) -> None:
    with pytest.raises(PayloadError) as error:
        decode(body)
    assert error.value.reason == reason
    assert "\n" not in str(error.value)


@given(st.data(), HEADERS)
def test_a_damaged_frame_is_read_or_refused_and_raises_nothing_else(data: st.DataObject, header: Header) -> None:
    body = bytearray(encode(header, np.linspace(-1, 1, 80)))
    for _ in range(data.draw(st.integers(1, 4))):
        body[data.draw(st.integers(0, len(body) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    damaged = bytes(body[: data.draw(st.integers(0, len(body)))]) + data.draw(st.binary(max_size=9))
    found = read_or_refused(damaged)
    if isinstance(found, str):
        assert found in {"bad_frame", "oversized", "malformed_json", "wrong_type", "not_finite"}
    else:
        assert np.isfinite(found.samples).all()
        assert 1 <= found.header.rate_hz <= 1e6


def read_or_refused(body: bytes) -> Frame | str:
    try:
        return decode(body)
    except PayloadError as error:
        return error.reason


@pytest.mark.parametrize(
    ("header", "samples", "reason"),
    [
        (GOOD, [0.0] * 63, "63 samples"),
        (GOOD, [0.0] * 63 + [float("nan")], "no number"),
        (GOOD, [0.0] * 63 + [1e300], "no number"),
        (Header(channel="a b", rate_hz=1.0), [0.0] * 64, "channel"),
        (Header(channel="a", rate_hz=1.0, boot="b" * 2000), [0.0] * 64, "the header has"),
    ],
)
def test_a_frame_that_no_gateway_would_take_is_not_written(header: Header, samples: list[float], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        encode(header, samples)
