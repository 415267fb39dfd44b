"""Makes rows of rejects_v1 of what was not understood, with the original bytes: a message as it came, rows as an Arrow IPC stream.

A reject's identity is the hash of its attributes and bytes, so that a retry or a repeat gives the same reject.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cache
from importlib.metadata import version

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.contradictions import MOST_VALUES
from pipeline.elements import Clock, DecodedBatch, RejectedRows, RowGroup, TableRows, UnwrittenRows
from pipeline.facts import as_text, facts, rows_of
from pipeline.refused import Refused
from schemas.envelope import ID_PATTERN, Envelope, EnvelopeError
from schemas.intervals import SEQ_LIMIT
from schemas.records import SCHEMA_VERSION, Kind, RefusedReadings, Reject

MOST_REFUSED = 1000
"""So many ranges of numbers a reject names at most."""


def of_message(refused: Refused, now: datetime) -> TableRows:
    """Rejects a message whole."""
    attributes = refused.message.attributes
    gateway_id, batch_id = _names(attributes)
    why = _RejectReason(
        stage=refused.stage,
        reason=refused.reason,
        text=refused.text,
        stacktrace=refused.stacktrace,
        gateway_id=gateway_id,
        batch_id=batch_id,
    )
    return _reject(attributes, refused.message.body, why, now)


def of_rows(batch: DecodedBatch, rejected: RejectedRows, stage: str, now: datetime, stacktrace: str | None = None) -> TableRows:
    """Rejects rows of a sound batch, with the attributes that it came with."""
    envelope = batch.envelope
    why = _RejectReason(
        stage=stage,
        reason=rejected.reason,
        text=rejected.text,
        stacktrace=stacktrace,
        gateway_id=envelope.gateway_id,
        batch_id=envelope.batch_id,
        device_id=_only_device(rejected.rows),
    )
    return _reject(envelope.attributes(), ipc_stream(rejected.rows), why, now, refused_readings(rejected.rows))


def of_gateway(row_group: RowGroup) -> Iterator[TableRows]:
    """Yields the rejects that a gateway sent."""
    if row_group.kind == Kind.REJECTS:
        yield facts(row_group)


def of_unwritten(unwritten: UnwrittenRows, clock: Clock) -> list[TableRows]:
    """Rejects rows that have no place in their table: one reject per batch that they came in, with the table as attribute."""
    rejected = unwritten.rejected
    if "batch_id" not in rejected.rows.schema.names:
        return [_of_table(unwritten, rejected.rows, None, clock())]
    batch_ids = rejected.rows.column("batch_id")
    return [
        _of_table(unwritten, rejected.rows.filter(pc.equal(batch_ids, batch_id)), batch_id.as_py(), clock())
        for batch_id in batch_ids.unique()
    ]


def refused_readings(rows: pa.RecordBatch) -> list[RefusedReadings]:
    """Returns the sensors' numbers in rows of summaries, MOST_REFUSED ranges at most, so that these are not missing.

    Numbers that cannot be true are left out: a forged row would hide what a device lost.
    """
    if "seq_ranges" not in rows.schema.names:
        return []
    columns = (rows.column(name).to_pylist() for name in ("device_id", "count", "seq_ranges"))
    believed = {
        (device_id, first, last)
        for device_id, count, flat in zip(*columns, strict=True)
        if device_id and count and _is_believed(flat or [], count)
        for first, last in zip(flat[::2], flat[1::2], strict=True)
    }
    return [RefusedReadings(*each) for each in sorted(believed)[:MOST_REFUSED]]


def _is_believed(flat: list[int | None], count: int) -> bool:
    numbers = [number for number in flat if number is not None and 0 <= number < SEQ_LIMIT]
    if len(numbers) != len(flat) or len(flat) % 2 or numbers != sorted(numbers):
        return False
    return sum(numbers[1::2]) - sum(numbers[::2]) + len(numbers) // 2 <= min(count, MOST_VALUES)


def _only_device(rows: pa.RecordBatch) -> str | None:
    """Returns the device that all rows are of; None if they are of several, or of none."""
    if "device_id" not in rows.schema.names:
        return None
    devices = rows.column("device_id").unique()
    return devices[0].as_py() if len(devices) == 1 else None


def ipc_stream(rows: pa.RecordBatch) -> bytes:
    """Returns the rows as one Arrow IPC stream."""
    out = pa.BufferOutputStream()
    with pa.ipc.new_stream(out, rows.schema) as writer:
        writer.write_batch(rows)
    stream: bytes = out.getvalue().to_pybytes()
    return stream


@dataclass(frozen=True, slots=True, kw_only=True)
class _RejectReason:
    """Says who rejected the bytes, and why."""

    stage: str
    reason: str
    text: str
    gateway_id: str | None
    batch_id: str | None
    stacktrace: str | None = None
    device_id: str | None = None


def _of_table(unwritten: UnwrittenRows, rows: pa.RecordBatch, batch_id: str | None, now: datetime) -> TableRows:
    rejected = unwritten.rejected
    gateway_id = batch_id.split(":")[0] if batch_id else None
    why = _RejectReason(stage="pipeline.warehouse", reason=rejected.reason, text=rejected.text, gateway_id=gateway_id, batch_id=batch_id)
    return _reject({"table": unwritten.table}, ipc_stream(rows), why, now)


def _names(attributes: Mapping[str, str]) -> tuple[str | None, str | None]:
    """Returns gateway and batch, as far as the attributes name them."""
    try:
        envelope = Envelope.parse(attributes)
    except EnvelopeError:
        gateway_id = attributes.get("gateway_id", "")
        return (gateway_id if ID_PATTERN.fullmatch(gateway_id) else None), None
    return envelope.gateway_id, envelope.batch_id


def _reject(
    attributes: Mapping[str, str], body: bytes, why: _RejectReason, now: datetime, readings: Sequence[RefusedReadings] = ()
) -> TableRows:
    row = {
        "timestamp": now,
        "payloadString": as_text(body),
        "payloadBytes": body,
        "attributes": [{"key": key, "value": value} for key, value in sorted(attributes.items())],
        "errorMessage": why.text,
        "stacktrace": why.stacktrace,
        "reject_id": _identity(attributes, body),
        "stage": why.stage,
        "reason": why.reason,
        "device_id": why.device_id,
        "gateway_id": why.gateway_id,
        "batch_id": why.batch_id,
        "versions": _versions(),
        "readings": [asdict(each) for each in readings],
    }
    return rows_of(Reject, [row])


@cache
def _versions() -> str:
    return json.dumps({"schema": SCHEMA_VERSION, "apache-beam": version("apache-beam"), "pyarrow": pa.__version__})


def _identity(attributes: Mapping[str, str], body: bytes) -> str:
    return hashlib.sha256(json.dumps(dict(attributes), sort_keys=True).encode() + b"\0" + body).hexdigest()
