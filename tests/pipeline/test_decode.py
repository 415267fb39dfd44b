"""Strict decode: what is a batch comes out equal; anything else is Undecodable, in bounded memory."""

from __future__ import annotations

import json
import random
import resource
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pyarrow as pa
import pytest
import zstandard

from pipeline.body import Undecodable
from pipeline.decode import decode, decode_all
from pipeline.elements import EXPORT_FILE, ReceivedMessage
from pipeline.refused import Refused
from schemas.arrow import schema, wire_columns
from schemas.envelope import MAX_BODY_BYTES, MAX_RAW_BYTES, micros
from schemas.records import KINDS
from tests import long_form
from tests.attack import Attack
from tests.pipeline.bodies import NOW, compress, envelope, in_columns, ipc, message, message_of, numbered, one_of, summary, table

BOMBS = 1000
BOMB_BYTES = MAX_RAW_BYTES * 8


def refusal(bad: ReceivedMessage) -> str:
    with pytest.raises(Undecodable) as caught:
        decode(bad)
    return caught.value.reason


@pytest.mark.parametrize("kind", KINDS)
def test_a_sound_batch_of_each_kind_comes_out_as_it_went_in(kind: str) -> None:
    sent = table(kind, [one_of(kind)] * 3)
    got = decode(message_of(kind, sent))
    assert got.rows.schema.names == ["row", "extras", *(column.name for column in wire_columns(KINDS[kind].record))]
    assert got.rows.select(sent.schema.names).to_pylist() == sent.to_pylist()
    assert got.rows.column("row").to_pylist() == [0, 1, 2]
    assert got.rows.column("extras").null_count == 3
    assert (got.envelope.batch_id, got.received_time) == ("gw1:7:1", NOW)


def test_columns_are_found_by_name_in_any_order() -> None:
    sent = table("summaries", numbered(5))
    turned = sent.select(sent.schema.names[::-1])
    assert decode(message_of("summaries", turned)).rows.equals(decode(message_of("summaries", sent)).rows)


def test_a_column_of_a_newer_gateway_is_kept_as_json() -> None:
    sent = table("summaries", numbered(2))
    unknown = {
        "battery": pa.array([3.5, None]),
        "odd": pa.array([float("nan"), 1.0]),
        "tags": pa.array([["a"], []]),
        "blob": pa.array([b"\xff", None]),
    }
    for name, array in unknown.items():
        sent = sent.append_column(name, array)
    first, second = (
        json.loads(text) for text in decode(message_of("summaries", sent, schema_version="1.9")).rows.column("extras").to_pylist()
    )
    assert first == {"battery": 3.5, "odd": "nan", "tags": ["a"], "blob": "/w=="}
    assert second == {"battery": None, "odd": "1", "tags": [], "blob": None}


def test_a_nullable_column_that_an_older_gateway_does_not_send_is_null() -> None:
    sent = table("summaries", numbered(2)).drop_columns(["clock_offset_ms"])
    assert decode(message_of("summaries", sent)).rows.column("clock_offset_ms").to_pylist() == [None, None]


def test_a_repeated_column_that_came_with_a_later_version_is_empty_for_an_older_gateway() -> None:
    sent = table("summaries", numbered(2)).drop_columns(["sketch"])
    assert decode(message_of("summaries", sent, schema_version="1.0")).rows.column("sketch").to_pylist() == [[], []]


def test_a_missing_required_column_is_refused() -> None:
    assert refusal(message_of("summaries", table("summaries", numbered(2)).drop_columns(["sum"]))) == "bad_schema"


def test_another_type_is_refused() -> None:
    sent = table("summaries", numbered(2))
    at = sent.schema.get_field_index("sum")
    assert refusal(message_of("summaries", sent.set_column(at, "sum", pa.array([1, 2])))) == "bad_schema"


def test_two_columns_of_one_name_are_refused() -> None:
    sent = table("summaries", numbered(2))
    assert refusal(message_of("summaries", sent.append_column("sum", sent.column("sum")))) == "bad_schema"


@pytest.mark.parametrize(
    "unknown",
    [
        {"x" * 200: pa.array([1, 2])},
        {"deep": pa.array([[[1]], []])},
        {"run": pa.RunEndEncodedArray.from_arrays([2], ["many"])},
        {f"c{number}": pa.array([1, 2]) for number in range(65)},
    ],
    ids=["long name", "nested", "run-end encoded", "too many"],
)
def test_unknown_columns_that_could_grow_are_refused(unknown: dict[str, pa.Array]) -> None:
    sent = table("summaries", numbered(2))
    for name, array in unknown.items():
        sent = sent.append_column(name, array)
    assert refusal(message_of("summaries", sent)) == "bad_schema"


def test_a_wrong_row_count_is_refused() -> None:
    assert refusal(message(numbered(3), row_count=4)) == "bad_row_count"


@pytest.mark.parametrize("change", [{"time_min": NOW - timedelta(days=1)}, {"time_max": NOW + timedelta(days=1)}])
def test_a_time_range_that_is_not_that_of_the_rows_is_refused(change: dict[str, object]) -> None:
    assert refusal(message(numbered(3), **change)) == "bad_times"


def test_a_malformed_envelope_is_refused_by_name() -> None:
    good = message(numbered(1))
    with pytest.raises(Undecodable, match="epoch is malformed"):
        decode(replace(good, attributes=good.attributes | {"epoch": "1e3"}))


def test_bytes_between_the_entries_of_an_export_file_are_refused_as_such() -> None:
    assert refusal(ReceivedMessage({EXPORT_FILE: "export.tbb"}, b"junk", NOW)) == "broken_entry"


def _bodies() -> dict[str, Callable[[ReceivedMessage], ReceivedMessage]]:
    raw = ipc(table("summaries", numbered(3)))
    declared = {"raw_bytes": str(len(raw))}
    return {
        "cut short": lambda good: replace(good, body=good.body[:-3]),
        "empty": lambda good: replace(good, body=b""),
        "trailing byte": lambda good: replace(good, body=good.body + b"\0"),
        "second frame": lambda good: replace(good, body=good.body + compress(b"more")),
        "no zstd": lambda good: replace(good, body=raw),
        "flipped bit": lambda good: replace(good, body=good.body[:200] + bytes([good.body[200] ^ 1]) + good.body[201:]),
        "size not declared": lambda good: replace(
            good, body=zstandard.ZstdCompressor(write_content_size=False).compress(raw), attributes=good.attributes | declared
        ),
        "other size": lambda good: replace(good, attributes=good.attributes | {"raw_bytes": str(len(raw) - 1)}),
    }


@pytest.mark.parametrize("how", _bodies())
def test_a_body_that_is_not_one_whole_zstd_frame_is_refused(how: str) -> None:
    assert refusal(_bodies()[how](message(numbered(3)))) in ("bad_zstd", "bad_size")


def _of_raw(raw: bytes, rows: pa.RecordBatch) -> ReceivedMessage:
    return ReceivedMessage(envelope("summaries", rows, len(raw)).attributes(), compress(raw), NOW)


def _two_batches(rows: pa.RecordBatch) -> bytes:
    out = pa.BufferOutputStream()
    with pa.ipc.new_stream(out, rows.schema) as writer:
        writer.write_batch(rows)
        writer.write_batch(rows)
    return out.getvalue().to_pybytes()


@pytest.mark.parametrize(
    "change",
    [
        lambda rows: ipc(rows) + b"\0" * 8,
        lambda rows: ipc(rows)[:-8],
        lambda rows: ipc(rows)[:-1],
        lambda rows: ipc(rows)[8:],
        _two_batches,
        lambda rows: ipc(rows, pa.ipc.IpcWriteOptions(compression="zstd")),
        lambda rows: ipc(rows) * 2,
        lambda _: b"\xff\xff\xff\xff\x00\x00\x00\x00",
    ],
    ids=["trailing bytes", "no end of stream", "end cut", "beginning cut", "two batches", "compressed inside", "twice", "only an end"],
)
def test_a_stream_that_is_not_one_schema_one_batch_and_an_end_is_refused(change: Callable[[pa.RecordBatch], bytes]) -> None:
    rows = table("summaries", numbered(3))
    assert refusal(_of_raw(change(rows), rows)) == "bad_arrow"


def test_text_that_is_not_utf8_is_refused() -> None:
    rows = table("summaries", numbered(2))
    bad = pa.Array.from_buffers(pa.string(), 2, pa.array([b"\xff\xfe", b"d2"]).buffers())
    assert refusal(message_of("summaries", rows.set_column(0, rows.schema.field(0), bad))) == "bad_arrow"


def test_an_oversized_body_is_refused_unread(attack: Attack) -> None:
    one = message(numbered(1))
    refused = [refusal(replace(one, body=b"\0" * size)) for size in (MAX_BODY_BYTES, MAX_BODY_BYTES + 1)]
    attack(
        "oversize-body",
        attacker="publisher",
        attempt="sends a body of more bytes than any batch may have",
        outcome="rejected as oversized, unread",
        attempts=1,
        accepted=int(refused[1] != "oversized"),
        control=f"one byte less is read, and rejected as {refused[0]}",
    )
    assert refused[0] != "oversized"


def test_decompression_bombs_are_bounded_in_memory(attack: Attack) -> None:
    good = message(numbered(1))
    small = bomb(BOMB_BYTES)
    lying = good.attributes | {"raw_bytes": str(MAX_RAW_BYTES)}
    for _ in range(10):
        refusal(ReceivedMessage(lying, compress(bytes(MAX_RAW_BYTES)), NOW))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(BOMBS):
        assert refusal(ReceivedMessage(lying, small, NOW)) == "bad_size"
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    attack(
        "decompression-bomb",
        attacker="publisher",
        attempt=f"sends {len(small):,} bytes that decompress to {BOMB_BYTES / 1e6:,.0f} MB, under a declared size that lies",
        outcome="rejected as bad_size, with less than 32 MB of memory",
        attempts=BOMBS,
        accepted=0 if grown < 32_000 else BOMBS,
        control="one that is decompressed without the bound takes all that it declares: R18 of reliability.md has the figure",
    )
    note_bombs(grown, small)


def bomb(size: int) -> bytes:
    """So many zeros, compressed piece by piece: made at once they would be the peak of memory that the test looks for."""
    compressor, piece = zstandard.ZstdCompressor().compressobj(size=size), bytes(1_000_000)
    return b"".join(compressor.compress(piece) for _ in range(size // len(piece))) + compressor.flush()


def note_bombs(grown: int, bomb: bytes) -> None:
    """In a long form this process has nothing else in its memory, so that the control is seen too."""
    if not long_form.is_long():
        return
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert len(zstandard.decompress(bomb)) == BOMB_BYTES
    unbounded = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert unbounded > 32_000, "this test cannot see a bomb"
    control = f"one of them decompressed without the bound takes {unbounded / 1000:.0f} MB"
    long_form.note(
        "R18",
        measured=f"{BOMBS:,} bombs refused, {grown / 1000:.1f} MB more than ten sound bodies of the largest size took",
        control=control,
    )


DAMAGED, AT_ONCE = long_form.number(20_000, 200_000), 100


def test_random_damage_is_refused_or_harmless_and_never_anything_else(attack: Attack) -> None:
    """In = good + rejects, nothing uncaught. The seed is in the message of a failure."""
    seed = random.randrange(2**32)
    rng = random.Random(seed)
    sound = [_sound(kind, content) for kind in KINDS for content in (ipc, in_columns)]
    good = rejected = 0
    for turn in range(0, DAMAGED, AT_ONCE):
        long_form.progress(turn, DAMAGED)
        for result in decode_all([_damaged(*rng.choice(sound), rng) for _ in range(AT_ONCE)]):
            if isinstance(result, Refused):
                assert result.stacktrace is None, f"seed {seed}, turn {turn}: {result.stacktrace}"
                rejected += 1
            else:
                good += len(result.counts)
    assert good + rejected == DAMAGED, f"seed {seed}"
    assert rejected > DAMAGED // 3, f"seed {seed}: the damage does no harm"
    attack(
        "damaged-message",
        attacker="publisher",
        attempt="sends batches with bytes changed, cut off, doubled or put in",
        outcome="a reject, or a batch whose every byte is understood; never a fault of ours, and nobody is stopped",
        attempts=DAMAGED,
        accepted=0,
        control=f"more than a third of the messages, {rejected * 100 // DAMAGED} %, are damaged beyond reading: the damage does harm",
    )
    found = f"{DAMAGED:,} messages, {good:,} batches, {rejected:,} rejects, 0 uncaught"
    long_form.note("R17", measured=found, control=f"{rejected:,} of them were damaged beyond reading", seed=seed)


def _sound(kind: str, content: Callable[[pa.RecordBatch], bytes]) -> tuple[bytes, dict[str, str]]:
    """What is under zstd, and its envelope."""
    rows = table(kind, numbered(4) if kind == "summaries" else [one_of(kind)] * 4)
    raw = content(rows)
    return raw, envelope(kind, rows, len(raw)).attributes()


def _damaged(content: bytes, sound: dict[str, str], rng: random.Random) -> ReceivedMessage:
    """A batch with damage before or after compression (the latter never gets past the checksum)."""
    raw = bytearray(content)
    how = rng.randrange(5)
    if how == 0:
        raw[rng.randrange(len(raw))] ^= 1 << rng.randrange(8)
    elif how == 1:
        del raw[rng.randrange(len(raw)) :]
    elif how == 2:
        at = rng.randrange(len(raw))
        raw[at : at + 8] = rng.randbytes(8)
    body = bytearray(compress(bytes(raw)))
    if how == 3:
        body[rng.randrange(len(body))] ^= 1 << rng.randrange(8)
    elif how == 4:
        body += rng.randbytes(rng.randrange(1, 9))
    attributes = sound | {"raw_bytes": str(max(1, len(raw)))}
    if rng.random() < 0.1:
        attributes[rng.choice(list(attributes))] = rng.choice(["", "-1", "9" * 30, "\0", "summaries"])
    return ReceivedMessage(attributes, bytes(body), NOW)


def test_the_wire_schema_of_the_tests_is_that_of_the_contract() -> None:
    assert table("summaries", [summary()]).schema == schema(wire_columns(KINDS["summaries"].record))
    assert micros(NOW) == 1_777_636_800_000_000
