"""Finds the probes' messages among the rejects, whoever set them aside: a message that is there with its bytes is not lost."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pyarrow as pa
from google.cloud import bigquery

from schemas.warehouse import ALL_TIME

_REJECTS = f"select payloadBytes as payload, stage from tinybeam.rejects_between({ALL_TIME})"


def rejected_messages(client: bigquery.Client) -> set[bytes]:
    """Returns the bytes of every message that a gateway set aside, also of those whose reject the pipeline set aside in turn."""
    rows = client.query_and_wait(_REJECTS)
    return {body for row in rows for body in ([bytes(row.payload)] if row.stage.startswith("edge.") else _inside(bytes(row.payload)))}


def _inside(payload: bytes) -> Iterator[bytes]:
    try:
        table = pa.ipc.open_stream(io.BytesIO(payload)).read_all()
    except (pa.ArrowException, OSError):  # a message that was not understood begins with other bytes
        return
    if "payloadBytes" in table.column_names:
        yield from table.column("payloadBytes").to_pylist()
