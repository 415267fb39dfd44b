"""An envelope is read exactly as written or refused with the attribute's name; an export file loses only what is broken in it."""

import struct
import time
import zlib
from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import envelope
from schemas.envelope import Envelope, EnvelopeError, entries, entry, from_micros, micros
from tests.attack import Attack, number

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
SOUND = Envelope(
    gateway_id="barn-1",
    epoch=7,
    seq=3,
    kind="summaries",
    row_count=10,
    raw_bytes=2000,
    priority=1,
    cut_time=NOON,
    time_min=NOON - timedelta(minutes=1),
    time_max=NOON,
)
times = st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30)).map(lambda moment: moment.replace(tzinfo=UTC))  # noqa: DTZ001


@given(times)
def test_times_round_trip_to_the_microsecond(moment: datetime) -> None:
    assert from_micros(micros(moment)) == moment


def test_attributes_round_trip() -> None:
    assert Envelope.parse(SOUND.attributes()) == SOUND
    assert SOUND.batch_id == "barn-1:7:3"


def test_attributes_of_a_later_minor_version_are_ignored() -> None:
    assert Envelope.parse(SOUND.attributes() | {"googclient_schemaencoding": "BINARY"}) == SOUND


@pytest.mark.parametrize("name", sorted(SOUND.attributes()))
def test_a_missing_attribute_is_named(name: str) -> None:
    attributes = SOUND.attributes()
    del attributes[name]
    with pytest.raises(EnvelopeError, match=rf"attribute {name} is missing"):
        Envelope.parse(attributes)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("gateway_id", "../etc"),
        ("gateway_id", "a:b"),
        ("gateway_id", ""),
        ("epoch", "-1"),
        ("seq", "0"),
        ("seq", "1e3"),
        ("seq", "٣"),
        ("seq", "01"),
        ("seq", "9223372036854775808"),
        ("kind", "readings"),
        ("row_count", "100001"),
        ("raw_bytes", str(envelope.MAX_RAW_BYTES + 1)),
        ("priority", "10"),
        ("cut_time", "9" * 18),
        ("time_min", "nan"),
        ("schema_version", "1"),
        ("schema_version", "2.0"),
        ("time_max", "0"),
    ],
)
def test_a_bad_attribute_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(EnvelopeError, match=name.replace("time_max", "time_min is after time_max")):
        Envelope.parse(SOUND.attributes() | {name: value})


bodies = st.lists(st.binary(max_size=200) | st.just(b"TBB1" * 5), min_size=1, max_size=6)


@given(bodies)
def test_entries_round_trip(bodies_sent: list[bytes]) -> None:
    content = b"".join(entry({"seq": str(at)}, body) for at, body in enumerate(bodies_sent))
    assert list(entries(BytesIO(content))) == [({"seq": str(at)}, body) for at, body in enumerate(bodies_sent)]


@given(bodies, st.data())
def test_a_flipped_bit_costs_one_entry_and_every_byte_is_accounted_for(bodies_sent: list[bytes], data: st.DataObject) -> None:
    packed = [entry({"seq": str(at)}, body) for at, body in enumerate(bodies_sent)]
    hit = data.draw(st.integers(0, len(packed) - 1))
    bit = data.draw(st.integers(0, len(packed[hit]) * 8 - 1))
    broken = bytearray(packed[hit])
    broken[bit // 8] ^= 1 << bit % 8
    parts = list(entries(BytesIO(b"".join([*packed[:hit], bytes(broken), *packed[hit + 1 :]]))))
    sound = [part for part in parts if not isinstance(part, bytes)]
    assert sound == [({"seq": str(at)}, body) for at, body in enumerate(bodies_sent) if at != hit]
    assert b"".join(part for part in parts if isinstance(part, bytes)) == bytes(broken)


@given(bodies, st.data())
def test_a_file_cut_short_keeps_its_whole_entries(bodies_sent: list[bytes], data: st.DataObject) -> None:
    packed = [entry({"seq": str(at)}, body) for at, body in enumerate(bodies_sent)]
    content = b"".join(packed)[: -data.draw(st.integers(1, len(packed[-1])))]
    parts = list(entries(BytesIO(content)))
    assert [part for part in parts if not isinstance(part, bytes)] == [({"seq": str(at)}, body) for at, body in enumerate(bodies_sent[:-1])]


def test_attributes_that_are_no_texts_are_no_entry() -> None:
    good = entry({"seq": "1"}, b"x")
    assert list(entries(BytesIO(entry({"seq": 1}, b"x") + good))) == [entry({"seq": 1}, b"x"), ({"seq": "1"}, b"x")]  # type: ignore[dict-item]


def test_a_file_that_claims_to_be_full_of_entries_costs_no_more_than_its_bytes(attack: Attack) -> None:
    size = number(1_000_000, 8_000_000)
    claim, sound = struct.pack("<4sIII", b"TBB1", 0, size // 2, 0), entry({"a": "1"}, b"sound")
    content = sound + claim * (size // len(claim))
    began = time.process_time()
    first, *rest = entries(BytesIO(content))
    spent = time.process_time() - began
    began = time.process_time()
    zlib.crc32(content[: size // 2])
    each = time.process_time() - began
    claims = size // 2 // len(claim)
    attack(
        "export-file-of-claims",
        attacker="sender of files",
        attempt="hands over an export file in which every 16 bytes claim to begin an entry of half of its bytes",
        outcome="a small multiple of its bytes is looked at, the rest is set aside, and what is sound before comes in",
        attempts=claims,
        accepted=claims if spent > max(claims * each / 10, 0.5) else 0,
        control=f"were each claim checked, it would take {claims * each / max(spent, 0.001):,.0f} times the processor's time",
    )
    assert first == ({"a": "1"}, b"sound")
    assert b"".join(piece for piece in rest if isinstance(piece, bytes)) == content[len(sound) :]


def test_what_is_sound_behind_a_few_claims_comes_in() -> None:
    claim, sound = struct.pack("<4sIII", b"TBB1", 0, 5000, 0), entry({"a": "1"}, b"sound")
    found = list(entries(BytesIO((claim + sound) * 50 + bytes(5000))))
    assert [part for part in found if not isinstance(part, bytes)] == 50 * [({"a": "1"}, b"sound")]


def test_a_file_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(envelope, "MAX_EXPORT_BYTES", 100)
    with pytest.raises(EnvelopeError, match="larger than 100 bytes"):
        list(entries(BytesIO(bytes(101))))
