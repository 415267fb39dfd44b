"""Messages are decoded together, and nobody can tell from what comes out; one that is no batch costs itself alone."""

from __future__ import annotations

import math
import resource
import struct
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import decode as room
from pipeline import parcel
from pipeline.body import Undecodable
from pipeline.decode import Refused, decode, decode_all
from pipeline.elements import EXPORT_FILE, DecodedBatch, ReceivedMessage
from tests.pipeline.bodies import NOW, compress, envelope, in_columns, ipc, message, message_of, numbered, one_of, summary, table

Found = tuple[Any, ...]


def alone(messages: Sequence[ReceivedMessage]) -> list[Found]:
    return sorted(map(_alone, messages), key=repr)


def _alone(sent: ReceivedMessage) -> Found:
    try:
        return of_batch(decode(sent))
    except Undecodable as error:
        return refused(Refused(sent, error.reason, str(error)))


def together(messages: Sequence[ReceivedMessage]) -> list[Found]:
    found: list[Found] = []
    for each in decode_all(messages):
        found += [refused(each)] if isinstance(each, Refused) else [of_batch(batch) for batch in each]
    return sorted(found, key=repr)


def of_batch(batch: DecodedBatch) -> Found:
    return batch.envelope, batch.received_time, batch.body_bytes, batch.rows.schema.names, repr(batch.rows.to_pylist())


def refused(one: Refused) -> Found:
    return one.message, one.reason, one.text


def newer(rows: pa.RecordBatch, value: float | None) -> ReceivedMessage:
    return message_of("summaries", rows.append_column("battery", pa.array([value] * rows.num_rows, pa.float64())))


ROWS = table("summaries", numbered(3))
RAW = ipc(ROWS)
NOT_UTF8 = pa.Array.from_buffers(pa.string(), 3, pa.array([b"\xff\xfe", b"d2", b"d3"]).buffers())


def with_column(name: str, array: pa.Array) -> ReceivedMessage:
    return message_of("summaries", ROWS.set_column(ROWS.schema.get_field_index(name), ROWS.schema.field(name), array))


def of_raw(raw: bytes) -> ReceivedMessage:
    return ReceivedMessage(envelope("summaries", ROWS, len(raw)).attributes(), compress(raw), NOW)


def with_lists_that_end_at(*ends: int) -> ReceivedMessage:
    """Three lists of one number each, of which the ends are changed."""
    at = ROWS.schema.get_field_index("sketch")
    raw = ipc(ROWS.set_column(at, ROWS.schema.field(at), pa.array([[1], [2], [3]], pa.list_(pa.int64()))))
    changed = raw.replace(struct.pack("<4i", 0, 1, 2, 3), struct.pack("<4i", *ends))
    assert changed != raw
    return of_raw(changed)


def two_batches() -> bytes:
    out = pa.BufferOutputStream()
    with pa.ipc.new_stream(out, ROWS.schema) as writer:
        writer.write_batch(ROWS)
        writer.write_batch(ROWS)
    return out.getvalue().to_pybytes()


def without_its_record_batch() -> bytes:
    return RAW[: len(ROWS.schema.serialize())] + RAW[-8:]


def with_dictionary(body: bytes, number: int) -> bytes:
    """The body, as if it needed the dictionary of that number of two bytes. (Format: RFC 8878, 3.1.1.1.)"""
    size_bytes = 1 + bool(body[4] & 0xC0) * ((1 << (body[4] >> 6)) - 1)
    assert body[4] & 0x23 == 0x20, "one segment, no dictionary"
    return body[:4] + bytes([body[4] | 2]) + struct.pack("<H", number) + body[5 : 5 + size_bytes] + body[5 + size_bytes :]


GOOD_COLUMNS = message_of("summaries", ROWS, content=in_columns)
BAD = {
    "envelope": replace(message(numbered(1)), attributes={}),
    "piece of a file": ReceivedMessage({EXPORT_FILE: "a.tbb"}, b"junk", NOW),
    "flipped bit": replace(message(numbered(1)), body=message(numbered(1)).body[:-9] + b"X" + message(numbered(1)).body[-8:]),
    "epoch out of range": message(numbered(1), epoch=2**63),
    "epoch far out of range": replace(message(numbered(1)), attributes=message(numbered(1)).attributes | {"epoch": "9" * 19}),
    "priority": message(numbered(1), priority=11),
    "cut in the year 10000": replace(message(numbered(1)), attributes=message(numbered(1)).attributes | {"cut_time": str(2**62)}),
    "time range backwards": message(numbered(1), time_max=NOW - timedelta(days=1)),
    "of a later major version": message(numbered(1), schema_version="2.0"),
    "row count": message(numbered(3), row_count=4),
    "times": message(numbered(3), time_max=NOW + timedelta(days=1)),
    "text": with_column("device_id", NOT_UTF8),
    "list backwards": with_lists_that_end_at(0, 2, 1, 3),
    "list beyond": with_lists_that_end_at(0, 1, 2, 400),
    "no column": message_of("summaries", ROWS.drop_columns(["sum"])),
    "two record batches": of_raw(two_batches()),
    "no record batch": of_raw(without_its_record_batch()),
    "columns of text that is none": message_of("summaries", ROWS.set_column(0, ROWS.schema.field(0), NOT_UTF8), content=in_columns),
    "columns that end early": of_raw(in_columns(ROWS)[:-1]),
    "columns that go on": of_raw(in_columns(ROWS) + b"\0"),
    "columns of more rows": of_raw(in_columns(ROWS, 4)),
    "columns of no rows": of_raw(in_columns(ROWS, 0)),
    "no column, in columns": message_of("summaries", ROWS.drop_columns(["sum"]), content=in_columns),
    "a flag that is none": of_raw(in_columns(ROWS).replace(b"\0" * 3 + b"synced", b"\0\2\0synced")),
    "no description": of_raw(b"TBC1" + bytes(6)),
    "a dictionary that nobody has": replace(GOOD_COLUMNS, body=with_dictionary(GOOD_COLUMNS.body, 0xFFFF)),
}
GOOD = [
    message(numbered(4)),
    message([summary("d9")], NOW + timedelta(seconds=5), gateway_id="gw2", seq=8),
    message([one_of("events")] * 2),
    message([one_of("heartbeats")]),
    message_of("summaries", ROWS.select(ROWS.schema.names[::-1])),
    message_of("summaries", ROWS.drop_columns(["clock_offset_ms"])),
    newer(ROWS, 3.5),
    newer(ROWS, math.nan),
    newer(ROWS, None),
    GOOD_COLUMNS,
    message_of("summaries", table("summaries", numbered(5)), NOW + timedelta(seconds=7), content=in_columns, gateway_id="gw3"),
    message_of("heartbeats", table("heartbeats", [one_of("heartbeats")]), content=in_columns),
    message_of("summaries", ROWS.select(ROWS.schema.names[::-1]), content=in_columns),
    message_of("summaries", ROWS.append_column("battery", pa.array([0.1, None, math.inf])), content=in_columns, schema_version="1.9"),
    message_of("summaries", ROWS.append_column("tags", pa.array([[1], [], [2, 3]])), content=in_columns, schema_version="1.9"),
    with_column("window_start", pa.array([None] * 2 + [NOW], pa.timestamp("us", "UTC"))),
    replace(message(numbered(2)), attributes=message(numbered(2)).attributes | {"epoch": "-0"}),
    message_of("summaries", ROWS.append_column("tags", pa.array([[], [1], []])), content=in_columns, schema_version="1.9"),
]


@given(st.lists(st.sampled_from([*GOOD, *BAD.values()]), max_size=9))
def test_messages_together_give_what_each_gives_alone(messages: list[ReceivedMessage]) -> None:
    assert together(messages) == alone(messages)


def test_what_unknown_columns_become_depends_on_no_neighbour() -> None:
    messages = [newer(ROWS, value) for value in (3.5, math.nan, None, 0.1)]
    assert len(list(decode_all(messages))) == 1
    assert together(messages) == alone(messages)


@pytest.mark.parametrize("fault", BAD)
def test_a_message_that_is_no_batch_costs_itself_alone(fault: str) -> None:
    neighbours = [message(numbered(2), seq=seq) for seq in range(1, 9)]
    found = list(decode_all([*neighbours[:5], BAD[fault], *neighbours[5:]]))
    assert [each.message for each in found if isinstance(each, Refused)] == [BAD[fault]]
    seqs = [seq for each in found if not isinstance(each, Refused) for seq in each.receipts.column("seq").to_pylist()]
    assert sorted(seqs) == list(range(1, 9))


def test_two_record_batches_in_one_message_do_not_stand_for_none_in_another() -> None:
    found = decode_all([BAD["two record batches"], BAD["no record batch"]])
    assert [each.reason for each in found if isinstance(each, Refused)] == ["bad_arrow"] * 2


def test_sound_messages_of_a_kind_are_one_element() -> None:
    [batches] = decode_all([message(numbered(2), seq=seq) for seq in range(1, 300)])
    assert not isinstance(batches, Refused)
    assert (batches.receipts.num_rows, batches.rows.num_rows) == (299, 598)


def test_many_bytes_are_taken_in_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "BYTES_TOGETHER", 3 * len(RAW))
    assert len(list(decode_all([message(numbered(3), seq=seq) for seq in range(1, 10)]))) == 3


def test_a_fault_of_ours_sets_the_one_message_aside_with_the_stack_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    sound = room.conformed

    def poisoned(received: pa.RecordBatch, kind: str, starts: Sequence[int]) -> pa.RecordBatch:
        if "d9" in received.column("device_id").to_pylist():
            raise ZeroDivisionError("of d9")
        return sound(received, kind, starts)

    monkeypatch.setattr(room, "conformed", poisoned)
    found = list(decode_all([message([summary(name)]) for name in ("d1", "d9", "d2")]))
    [fault] = [each for each in found if isinstance(each, Refused)]
    assert (fault.message, fault.reason) == (message([summary("d9")]), "fault")
    assert fault.stacktrace is not None
    assert "ZeroDivisionError" in fault.stacktrace
    assert len(found) == 3


@pytest.mark.parametrize(
    "growing",
    [
        lambda: pa.array(["\0" * 300_000] * 20),
        lambda: pa.array([["\0" * 150_000] * 2] * 20),
        lambda: pa.array([b"\xff" * 1_000_000] * 20),
    ],
    ids=["text", "list of texts", "bytes"],
)
def test_unknown_columns_that_would_grow_are_refused_before_they_do(growing: Callable[[], pa.Array]) -> None:
    rows = table("summaries", numbered(20)).append_column("grows", growing())
    sent = message_of("summaries", rows)
    assert len(sent.body) < 40_000
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert [each.reason for each in decode_all([sent]) if isinstance(each, Refused)] == ["bad_schema"]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 120_000


def test_messages_cross_to_another_worker_as_they_came() -> None:
    sent = [*GOOD, *BAD.values()]
    assert list(parcel.unpack(parcel.pack(sent))) == sent
