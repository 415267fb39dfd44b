"""Batches for the pipeline's tests, encoded with pyarrow by the contract alone: no code of the gateway."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import zstandard

from pipeline.assign_sites import group_rows
from pipeline.decode import decode
from pipeline.elements import DecodedBatch, DecodedBatches, ReceivedMessage, RowGroup
from pipeline.enrich import Sites, enrich
from schemas.arrow import schema, wire_columns
from schemas.envelope import Envelope, from_micros
from schemas.records import KINDS, Device, Event, Heartbeat, Inference, Reject, Sample, Site, Summary
from schemas.registry import Registry

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)

REGISTRY = Registry(
    sites=tuple(Site(site_id=name, name=name, valid_from=ALWAYS) for name in ("north", "south")),
    devices=(
        Device("d1", "soil", "north", ALWAYS, NOW - timedelta(days=100)),
        Device("d1", "soil", "south", NOW - timedelta(days=100), None),
        Device("d2", "soil", "north", ALWAYS, None),
        Device("gone", "soil", "north", ALWAYS, NOW - timedelta(days=200)),
    ),
)


def summary(device_id: str = "d1", start: datetime = NOW, value: float = 0.5, **changes: Any) -> Summary:
    row = Summary(
        device_id=device_id,
        channel="moisture",
        unit="m3/m3",
        window_start=start,
        window_seconds=60,
        count=2,
        sum=2 * value,
        m2=0.0,
        min=value,
        max=value,
        last=value,
        last_time=start,
        seq_ranges=(1, 2),
        sketch=(),
        late=False,
        time_quality="synced",
        clock_offset_ms=None,
    )
    return replace(row, **changes)


def one_of(kind: str) -> Any:
    """A plausible row of any kind."""
    rows = {
        "summaries": summary(),
        "inferences": Inference(
            device_id="d1",
            window_start=NOW,
            window_seconds=60,
            model="soil",
            model_version="1.0.0",
            model_sha256="ab" * 32,
            runtime="tflite-runtime 2.14.0",
            label="fine",
            score=9.5,
            uncertainty=1.5,
            features=(0.25, 14.0),
            time_quality="synced",
        ),
        "samples": Sample(
            device_id="d1",
            window_start=NOW,
            window_seconds=60,
            model="soil",
            model_version="1.0.0",
            model_sha256="ab" * 32,
            label="fine",
            score=9.5,
            uncertainty=6.5,
            features=(0.25, 14.0),
            reason="uncertain",
            time_quality="synced",
        ),
        "events": Event(
            device_id="d1",
            event_time=NOW,
            cause="threshold",
            rule="dry",
            channel="moisture",
            previous_state="normal",
            state="low",
            value=0.1,
            threshold=0.15,
            severity="warning",
            time_quality="synced",
        ),
        "heartbeats": Heartbeat(
            heartbeat_time=NOW,
            started_time=NOW,
            version="0.1.0",
            runtime="tflite",
            models="{}",
            time_quality="synced",
            readings_stored=0,
            readings_repeated=1,
            readings_rejected=2,
            readings_summarised=3,
            readings_dropped=4,
            batches_cut=5,
            batches_confirmed=6,
            batches_pending=7,
            batches_dropped=8,
            dropped_ranges=(),
            store_bytes=4096,
            store_bytes_max=8192,
            devices_seen=3,
            uplink_state="online",
            broker_state="online",
        ),
        "rejects": Reject(
            timestamp=NOW,
            payloadString=None,
            payloadBytes=b"{bad",
            attributes=(),
            errorMessage="not JSON",
            stacktrace=None,
            reject_id="",
            stage="edge.intake",
            reason="malformed_json",
            device_id="d1",
            topic="sensors/d1/readings",
            gateway_id=None,
            batch_id=None,
            versions=None,
        ),
    }
    return rows[kind]


def table(kind: str, rows: list[Any]) -> pa.RecordBatch:
    """The rows as the wire has them."""
    columns = wire_columns(KINDS[kind].record)
    arrays = [pa.array([getattr(row, column.name) for row in rows], schema((column,)).field(0).type) for column in columns]
    return pa.RecordBatch.from_arrays(arrays, schema=schema(columns))


def ipc(rows: pa.RecordBatch, options: pa.ipc.IpcWriteOptions | None = None) -> bytes:
    out = pa.BufferOutputStream()
    with pa.ipc.new_stream(out, rows.schema, options=options) as writer:
        writer.write_batch(rows)
    return out.getvalue().to_pybytes()


def in_columns(rows: pa.RecordBatch, count: int | None = None) -> bytes:
    """The rows as gateways write them since version 1.3, made by what schemas/columns.py says, not by its code."""
    text = ";".join(f"{field.name} {_letter(field.type)}{'?' * field.nullable}" for field in rows.schema).encode()
    lengths, values = b"", b""
    for field, array in zip(rows.schema, rows.columns, strict=True):
        if field.nullable:
            values += bytes(value.is_valid for value in array)
        is_list, in_bytes = pa.types.is_list(field.type), pa.types.is_string(field.type) or pa.types.is_binary(field.type)
        cells = array.cast(pa.binary()).to_pylist() if in_bytes else array.to_pylist()
        if is_list or in_bytes:
            lengths += struct.pack(f"<{len(cells)}I", *(len(cell or b"") for cell in cells))
        numbers = array.flatten() if is_list else array
        values += b"".join(cell or b"" for cell in cells) if in_bytes else _numbers(numbers)
    return struct.pack("<4sHI", b"TBC1", len(text), rows.num_rows if count is None else count) + text + lengths + values


def _letter(kind: pa.DataType) -> str:
    if pa.types.is_list(kind):
        return _letter(kind.value_type) + "*"
    letters = {pa.string(): "s", pa.binary(): "x", pa.int64(): "i", pa.float64(): "f", pa.bool_(): "b", pa.timestamp("us", "UTC"): "t"}
    return letters[kind]


def _numbers(array: pa.Array) -> bytes:
    if pa.types.is_boolean(array.type):
        return bytes(map(bool, array.to_pylist()))
    if pa.types.is_floating(array.type):
        return struct.pack(f"<{len(array)}d", *(value or 0.0 for value in array.to_pylist()))
    sent, before = b"", 0
    for value in array.cast(pa.int64()).to_pylist():
        after = before if value is None else value
        sent, before = sent + struct.pack("<Q", (after - before) % 2**64), after
    return sent


def compress(raw: bytes) -> bytes:
    return zstandard.ZstdCompressor(level=3, write_checksum=True).compress(raw)


def envelope(kind: str, rows: pa.RecordBatch, raw_bytes: int, **changes: Any) -> Envelope:
    times = [time for time in rows.column(KINDS[kind].event_time).cast(pa.int64()).to_pylist() if time is not None]
    low, high = from_micros(min(times)), from_micros(max(times))
    envelope = Envelope(
        gateway_id="gw1",
        epoch=7,
        seq=1,
        kind=kind,
        row_count=rows.num_rows,
        raw_bytes=raw_bytes,
        priority=KINDS[kind].priority,
        cut_time=NOW,
        time_min=low,
        time_max=high,
    )
    return replace(envelope, **changes)


def message_of(
    kind: str, rows: pa.RecordBatch, received: datetime = NOW, content: Callable[[pa.RecordBatch], bytes] | None = None, **changes: Any
) -> ReceivedMessage:
    """A message that carries the table: as an Arrow stream, if `content` makes nothing else of it."""
    raw = (content or ipc)(rows)
    return ReceivedMessage(envelope(kind, rows, len(raw), **changes).attributes(), compress(raw), received)


def message(rows: list[Any], received: datetime = NOW, **changes: Any) -> ReceivedMessage:
    """A message that carries the rows, all of one kind."""
    kind = next(kind for kind, carried in KINDS.items() if isinstance(rows[0], carried.record))
    return message_of(kind, table(kind, rows), received, **changes)


def batch(rows: list[Any], received: datetime = NOW, **changes: Any) -> DecodedBatch:
    """The rows as the steps after decode see them."""
    return decode(message(rows, received, **changes))


def numbered_message(number: int, rows: Sequence[Any]) -> ReceivedMessage:
    """Messages of two gateways, each with its own arrival."""
    return message(list(rows), NOW + timedelta(seconds=number), gateway_id=f"gw{number % 2}", seq=1 + number)


def numbered_batch(number: int, rows: Sequence[Any]) -> DecodedBatches:
    """Batches of two gateways, each with its own arrival."""
    return DecodedBatches.of(decode(numbered_message(number, rows)))


def grouped(rows: list[Any], received: datetime = NOW, **changes: Any) -> RowGroup:
    """The rows as validation sees them."""
    return group_rows([DecodedBatches.of(batch(rows, received, **changes))])


def with_sites(rows: list[Any], received: datetime = NOW, **changes: Any) -> RowGroup:
    """The rows as the steps after the assignment of sites see them, with the sites of REGISTRY."""
    return enrich(grouped(rows, received, **changes), Sites(REGISTRY))[0]


def numbered(count: int) -> list[Summary]:
    """Summaries that differ."""
    return [summary(f"d{1 + number % 2}", NOW + timedelta(seconds=number), number / 8) for number in range(count)]
