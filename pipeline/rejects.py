"""What was not understood -> rows of rejects_v1, with the original bytes: a message as it came, rows as an Arrow IPC stream.

A reject's identity is the hash of its attributes and bytes, so that a retry or a repeat gives the same reject.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.metadata import version

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.elements import Clock, DecodedBatch, ReceivedMessage, RejectedRows, TableRows, UnwrittenRows
from pipeline.facts import as_text, rows_of
from schemas.envelope import ID_PATTERN, Envelope, EnvelopeError
from schemas.records import SCHEMA_VERSION, Reject


def of_message(message: ReceivedMessage, reason: str, text: str, now: datetime, stacktrace: str | None = None) -> TableRows:
    """A message that is no batch."""
    gateway_id, batch_id = _names(message.attributes)
    finding = _Finding("pipeline.decode", reason, text, stacktrace, gateway_id, batch_id)
    return _reject(message.attributes, message.body, finding, now)


def of_rows(batch: DecodedBatch, rejected: RejectedRows, stage: str, now: datetime, stacktrace: str | None = None) -> TableRows:
    """Rows of a sound batch, with the attributes that it came with."""
    envelope = batch.envelope
    finding = _Finding(stage, rejected.reason, rejected.text, stacktrace, envelope.gateway_id, envelope.batch_id)
    return _reject(envelope.attributes(), ipc_stream(rejected.rows), finding, now)


def of_unwritten(unwritten: UnwrittenRows, clock: Clock) -> list[TableRows]:
    """Rows that have no place in their table: one reject per batch that they came in, with the table as attribute."""
    rejected = unwritten.rejected
    if "batch_id" not in rejected.rows.schema.names:
        return [_of_table(unwritten, rejected.rows, None, clock())]
    batch_ids = rejected.rows.column("batch_id")
    return [
        _of_table(unwritten, rejected.rows.filter(pc.equal(batch_ids, batch_id)), batch_id.as_py(), clock())
        for batch_id in batch_ids.unique()
    ]


def ipc_stream(rows: pa.RecordBatch) -> bytes:
    """The rows as one Arrow IPC stream."""
    out = pa.BufferOutputStream()
    with pa.ipc.new_stream(out, rows.schema) as writer:
        writer.write_batch(rows)
    stream: bytes = out.getvalue().to_pybytes()
    return stream


@dataclass(frozen=True, slots=True)
class _Finding:
    """Who rejected the bytes, and why."""

    stage: str
    reason: str
    text: str
    stacktrace: str | None
    gateway_id: str | None
    batch_id: str | None


def _of_table(unwritten: UnwrittenRows, rows: pa.RecordBatch, batch_id: str | None, now: datetime) -> TableRows:
    rejected = unwritten.rejected
    gateway_id = batch_id.split(":")[0] if batch_id else None
    finding = _Finding("pipeline.warehouse", rejected.reason, rejected.text, None, gateway_id, batch_id)
    return _reject({"table": unwritten.table}, ipc_stream(rows), finding, now)


def _names(attributes: Mapping[str, str]) -> tuple[str | None, str | None]:
    """Gateway and batch, as far as the attributes name them."""
    try:
        envelope = Envelope.parse(attributes)
    except EnvelopeError:
        gateway_id = attributes.get("gateway_id", "")
        return (gateway_id if ID_PATTERN.fullmatch(gateway_id) else None), None
    return envelope.gateway_id, envelope.batch_id


def _reject(attributes: Mapping[str, str], body: bytes, finding: _Finding, now: datetime) -> TableRows:
    row = {
        "timestamp": now,
        "payloadString": as_text(body),
        "payloadBytes": body,
        "attributes": [{"key": key, "value": value} for key, value in sorted(attributes.items())],
        "errorMessage": finding.text,
        "stacktrace": finding.stacktrace,
        "reject_id": _identity(attributes, body),
        "stage": finding.stage,
        "reason": finding.reason,
        "gateway_id": finding.gateway_id,
        "batch_id": finding.batch_id,
        "versions": _versions(),
    }
    return rows_of(Reject, [row])


@cache
def _versions() -> str:
    return json.dumps({"schema": SCHEMA_VERSION, "apache-beam": version("apache-beam"), "pyarrow": pa.__version__})


def _identity(attributes: Mapping[str, str], body: bytes) -> str:
    return hashlib.sha256(json.dumps(dict(attributes), sort_keys=True).encode() + b"\0" + body).hexdigest()
