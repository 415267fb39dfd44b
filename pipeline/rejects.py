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

from pipeline.elements import Batch, Message, Rejected, Rows, Unwritten
from pipeline.facts import as_text, rows_of
from schemas.envelope import ID_PATTERN, Envelope, EnvelopeError
from schemas.records import SCHEMA_VERSION, Reject


def of_message(message: Message, reason: str, text: str, now: datetime, stacktrace: str | None = None) -> Rows:
    """A message that is no batch."""
    gateway_id, batch_id = _names(message.attributes)
    said = _Said("pipeline.decode", reason, text, stacktrace, gateway_id, batch_id)
    return _reject(message.attributes, message.body, said, now)


def of_rows(batch: Batch, refused: Rejected, stage: str, now: datetime, stacktrace: str | None = None) -> Rows:
    """Rows of a sound batch, with the attributes that it came with."""
    envelope = batch.envelope
    said = _Said(stage, refused.reason, refused.text, stacktrace, envelope.gateway_id, envelope.batch_id)
    return _reject(envelope.attributes(), ipc_stream(refused.rows), said, now)


def of_unwritten(unwritten: Unwritten, now: datetime) -> list[Rows]:
    """Rows that have no place in their table: one reject per batch that they came in, with the table as attribute."""
    refused = unwritten.refused
    if "batch_id" not in refused.rows.schema.names:
        return [_of_table(unwritten, refused.rows, None, now)]
    batch_ids = refused.rows.column("batch_id")
    return [_of_table(unwritten, refused.rows.filter(pc.equal(batch_ids, one)), one.as_py(), now) for one in batch_ids.unique()]


def ipc_stream(rows: pa.RecordBatch) -> bytes:
    """The rows as one Arrow IPC stream."""
    out = pa.BufferOutputStream()
    with pa.ipc.new_stream(out, rows.schema) as writer:
        writer.write_batch(rows)
    stream: bytes = out.getvalue().to_pybytes()
    return stream


@dataclass(frozen=True, slots=True)
class _Said:
    """What is said of the bytes."""

    stage: str
    reason: str
    text: str
    stacktrace: str | None
    gateway_id: str | None
    batch_id: str | None


def _of_table(unwritten: Unwritten, rows: pa.RecordBatch, batch_id: str | None, now: datetime) -> Rows:
    refused = unwritten.refused
    gateway_id = batch_id.split(":")[0] if batch_id else None
    said = _Said("pipeline.warehouse", refused.reason, refused.text, None, gateway_id, batch_id)
    return _reject({"table": unwritten.table}, ipc_stream(rows), said, now)


def _names(attributes: Mapping[str, str]) -> tuple[str | None, str | None]:
    """Gateway and batch, as far as the attributes name them."""
    try:
        envelope = Envelope.parse(attributes)
    except EnvelopeError:
        gateway_id = attributes.get("gateway_id", "")
        return (gateway_id if ID_PATTERN.fullmatch(gateway_id) else None), None
    return envelope.gateway_id, envelope.batch_id


def _reject(attributes: Mapping[str, str], body: bytes, said: _Said, now: datetime) -> Rows:
    row = {
        "timestamp": now,
        "payloadString": as_text(body),
        "payloadBytes": body,
        "attributes": [{"key": key, "value": value} for key, value in sorted(attributes.items())],
        "errorMessage": said.text,
        "stacktrace": said.stacktrace,
        "reject_id": _identity(attributes, body),
        "stage": said.stage,
        "reason": said.reason,
        "gateway_id": said.gateway_id,
        "batch_id": said.batch_id,
        "versions": _versions(),
    }
    return rows_of(Reject, [row])


@cache
def _versions() -> str:
    return json.dumps({"schema": SCHEMA_VERSION, "apache-beam": version("apache-beam"), "pyarrow": pa.__version__})


def _identity(attributes: Mapping[str, str], body: bytes) -> str:
    return hashlib.sha256(json.dumps(dict(attributes), sort_keys=True).encode() + b"\0" + body).hexdigest()
