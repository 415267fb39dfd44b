"""What was not understood -> rows of rejects_v1, with the original bytes: a message as it came, rows as an Arrow IPC stream.

A reject's identity is the hash of its attributes and bytes, so that a retry or a repeat gives the same reject.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from importlib.metadata import version

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.elements import Batch, Message, Refused, Rows, Unwritten
from pipeline.facts import as_text, rows_of
from schemas.envelope import ID_PATTERN
from schemas.records import SCHEMA_VERSION, Reject

_VERSIONS = json.dumps({"schema": SCHEMA_VERSION, "apache-beam": version("apache-beam"), "pyarrow": pa.__version__})


def of_message(message: Message, reason: str, text: str, now: datetime, stacktrace: str | None = None) -> Rows:
    """A message that is no batch."""
    gateway = message.attributes.get("gateway_id", "")
    batch_id = ":".join(message.attributes.get(name, "") for name in ("gateway_id", "epoch", "seq"))
    named = ID_PATTERN.fullmatch(gateway) is not None
    return _reject(message.attributes, message.body, "pipeline.decode", reason, text, now, stacktrace, gateway if named else None, batch_id if named else None)


def of_rows(batch: Batch, refused: Refused, stage: str, now: datetime, stacktrace: str | None = None) -> Rows:
    """Rows of a sound batch, with the attributes that it came with."""
    said = batch.envelope
    body = ipc_stream(refused.rows)
    return _reject(said.attributes(), body, stage, refused.reason, refused.text, now, stacktrace, said.gateway_id, said.batch_id)


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


def _of_table(unwritten: Unwritten, rows: pa.RecordBatch, batch_id: str | None, now: datetime) -> Rows:
    refused = unwritten.refused
    gateway = batch_id.split(":")[0] if batch_id else None
    return _reject({"table": unwritten.table}, ipc_stream(rows), "pipeline.warehouse", refused.reason, refused.text, now, None, gateway, batch_id)


def _reject(  # noqa: PLR0913 - the columns
    attributes: Mapping[str, str],
    body: bytes,
    stage: str,
    reason: str,
    text: str,
    now: datetime,
    stacktrace: str | None,
    gateway_id: str | None,
    batch_id: str | None,
) -> Rows:
    row = {
        "timestamp": now,
        "payloadString": as_text(body),
        "payloadBytes": body,
        "attributes": [{"key": key, "value": value} for key, value in sorted(attributes.items())],
        "errorMessage": text,
        "stacktrace": stacktrace,
        "reject_id": _identity(attributes, body),
        "stage": stage,
        "reason": reason,
        "gateway_id": gateway_id,
        "batch_id": batch_id,
        "versions": _VERSIONS,
    }
    return rows_of(Reject, [row])


def _identity(attributes: Mapping[str, str], body: bytes) -> str:
    return hashlib.sha256(json.dumps(dict(attributes), sort_keys=True).encode() + b"\0" + body).hexdigest()
