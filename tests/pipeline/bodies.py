"""Batches for the pipeline's tests, encoded with pyarrow by the contract alone: no code of the gateway."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import zstandard

from pipeline.assign_sites import group_rows
from pipeline.decode import decode
from pipeline.elements import DecodedBatch, ReceivedMessage, RowGroup
from pipeline.enrich import Sites, enrich
from schemas.arrow import schema, wire_columns
from schemas.envelope import Envelope, from_micros
from schemas.records import EVENT_TIME, KINDS, PRIORITY, Device, Event, Heartbeat, Inference, Reject, Site, Summary
from schemas.registry import Registry

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)

REGISTRY = Registry(
    sites=tuple(Site(name, name, None, None, None, None, None, None, ALWAYS, None) for name in ("north", "south")),
    devices=(
        Device("d1", "soil", "north", ALWAYS, NOW - timedelta(days=100)),
        Device("d1", "soil", "south", NOW - timedelta(days=100), None),
        Device("d2", "soil", "north", ALWAYS, None),
        Device("gone", "soil", "north", ALWAYS, NOW - timedelta(days=200)),
    ),
)


def summary(device_id: str = "d1", start: datetime = NOW, value: float = 0.5, **changes: Any) -> Summary:
    row = Summary(
        device_id, "moisture", "m3/m3", start, 60, 2, 2 * value, 0.0, value, value, value, start, (1, 2), (), False, "synced", None
    )
    return replace(row, **changes)


def one_of(kind: str) -> Any:
    """A plausible row of any kind."""
    rows = {
        "summaries": summary(),
        "inferences": Inference(
            "d1", NOW, 60, "soil", "1.0.0", "ab" * 32, "tflite-runtime 2.14.0", "fine", 9.5, 1.5, (0.25, 14.0), "synced"
        ),
        "events": Event("d1", NOW, "threshold", "dry", "moisture", "normal", "low", 0.1, 0.15, "warning", "synced"),
        "heartbeats": Heartbeat(NOW, NOW, "0.1.0", "tflite", "{}", "synced", *range(9), (), None, 4096, 8192, 3, "online", "online"),
        "rejects": Reject(
            NOW, None, b"{bad", (), "not JSON", None, "", "edge.intake", "malformed_json", "d1", "sensors/d1/readings", None, None, None
        ),
    }
    return rows[kind]


def table(kind: str, rows: list[Any]) -> pa.RecordBatch:
    """The rows as the wire has them."""
    columns = wire_columns(KINDS[kind])
    arrays = [pa.array([getattr(row, column.name) for row in rows], schema((column,)).field(0).type) for column in columns]
    return pa.RecordBatch.from_arrays(arrays, schema=schema(columns))


def ipc(rows: pa.RecordBatch, options: pa.ipc.IpcWriteOptions | None = None) -> bytes:
    out = pa.BufferOutputStream()
    with pa.ipc.new_stream(out, rows.schema, options=options) as writer:
        writer.write_batch(rows)
    return out.getvalue().to_pybytes()


def compress(raw: bytes) -> bytes:
    return zstandard.ZstdCompressor(level=3, write_checksum=True).compress(raw)


def envelope(kind: str, rows: pa.RecordBatch, raw_bytes: int, **changes: Any) -> Envelope:
    times = [time for time in rows.column(EVENT_TIME[kind]).cast(pa.int64()).to_pylist() if time is not None]
    low, high = from_micros(min(times)), from_micros(max(times))
    envelope = Envelope("gw1", 7, 1, kind, rows.num_rows, raw_bytes, PRIORITY[kind], NOW, low, high)
    return replace(envelope, **changes)


def message_of(kind: str, rows: pa.RecordBatch, received: datetime = NOW, **changes: Any) -> ReceivedMessage:
    """A message that carries the table."""
    raw = ipc(rows)
    return ReceivedMessage(envelope(kind, rows, len(raw), **changes).attributes(), compress(raw), received)


def message(rows: list[Any], received: datetime = NOW, **changes: Any) -> ReceivedMessage:
    """A message that carries the rows, all of one kind."""
    kind = next(kind for kind, record in KINDS.items() if isinstance(rows[0], record))
    return message_of(kind, table(kind, rows), received, **changes)


def batch(rows: list[Any], received: datetime = NOW, **changes: Any) -> DecodedBatch:
    """The rows as the steps after decode see them."""
    return decode(message(rows, received, **changes))


def numbered_batch(number: int, rows: Sequence[Any]) -> DecodedBatch:
    """Batches of two gateways, each with its own arrival."""
    return batch(list(rows), NOW + timedelta(seconds=number), gateway_id=f"gw{number % 2}", seq=1 + number)


def grouped(rows: list[Any], received: datetime = NOW, **changes: Any) -> RowGroup:
    """The rows as validation sees them."""
    return group_rows([batch(rows, received, **changes)])


def with_sites(rows: list[Any], received: datetime = NOW, **changes: Any) -> RowGroup:
    """The rows as the steps after the assignment of sites see them, with the sites of REGISTRY."""
    return enrich(grouped(rows, received, **changes), Sites(REGISTRY))[0]


def numbered(count: int) -> list[Summary]:
    """Summaries that differ."""
    return [summary(f"d{1 + number % 2}", NOW + timedelta(seconds=number), number / 8) for number in range(count)]
