"""Makes a batch of a reject again: of a message that was not understood, of rows of a sound batch, of rows that a table refused."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.body import Undecodable, rows_of
from pipeline.decode import decode
from pipeline.elements import DecodedBatch, ReceivedMessage
from pipeline.refused import STAGES
from pipeline.replay.elements import SetAside
from schemas.arrow import schema, wire_columns
from schemas.envelope import Envelope, EnvelopeError
from schemas.message import unfolded
from schemas.records import KINDS, TABLES, Kind

WAREHOUSE, GATEWAY = "pipeline.warehouse", "edge."
"""Stages whose bytes are rows of a table, or a sensor's payload (a prefix). Those of refused messages are a message, of all others rows of
a batch.
"""

_GATEWAYS_ID = ":"
"""Is in the identity of every reject that a gateway sent, which names batch and row, whatever stage it claims; and in no other."""

SENSOR = "a sensor's payload, which only a gateway understands: `tinybeam rejects export` gives it back, to be published once more"


class NotReplayable(ValueError):
    """The reject gives no batch; the text says why."""


def batch_of(reject: SetAside) -> DecodedBatch:
    """Returns the batch, with those of its rows that were set aside. Raises NotReplayable."""
    if reject.stage.startswith(GATEWAY) or _GATEWAYS_ID in reject.reject_id:
        raise NotReplayable(SENSOR)
    if reject.stage in STAGES:
        return _of_message(reject)
    try:
        return _of_table(reject) if reject.stage == WAREHOUSE else _of_rows(reject)
    except (EnvelopeError, pa.ArrowException, OSError, ValueError, KeyError) as error:
        if isinstance(error, NotReplayable):
            raise
        raise NotReplayable(f"not rows of a batch: {type(error).__name__}: {error}") from error


def rows_in(stage: str, body: bytes) -> pa.RecordBatch:
    """Returns the rows in a reject's bytes, as they came: those of a message too. Raises Undecodable and pyarrow's exceptions."""
    return rows_of(unfolded({}, body)[1]) if stage in STAGES else rows_of_stream(body)


def rows_of_stream(body: bytes) -> pa.RecordBatch:
    """Returns the rows of an Arrow IPC stream. Raises pyarrow's exceptions."""
    [rows] = pa.ipc.open_stream(io.BytesIO(body)).read_all().combine_chunks().to_batches()
    return rows


def _of_message(reject: SetAside) -> DecodedBatch:
    try:
        return decode(ReceivedMessage(reject.attributes, reject.body, reject.received_time))
    except Undecodable as error:
        raise NotReplayable(f"still {error.reason}: {error}") from error
    except Exception as error:
        raise NotReplayable(f"still a fault: {error!r}") from error


def _of_rows(reject: SetAside) -> DecodedBatch:
    envelope = Envelope.parse(reject.attributes)
    rows = _conformed(rows_of_stream(reject.body), envelope.kind)
    return DecodedBatch(envelope, reject.received_time, len(reject.body), rows)


def _of_table(reject: SetAside) -> DecodedBatch:
    """Makes a batch of rows of a fact table: they carry its name."""
    table = reject.attributes["table"]
    kind = next((kind for kind, carried in KINDS.items() if TABLES[carried.record].name == table), None)
    if kind in (None, Kind.REJECTS):
        raise NotReplayable(f"rows of {table}, which are derived: `tinybeam sql recompute` makes them anew from the facts")
    rows = rows_of_stream(reject.body)
    received = rows.column("received_time")[0].as_py()
    envelope = Envelope.parse(_named(rows, Kind(kind), received))
    return DecodedBatch(envelope, received, len(reject.body), _conformed(rows, kind))


def _named(rows: pa.RecordBatch, kind: Kind, received: datetime) -> Mapping[str, str]:
    gateway_id, epoch, seq = rows.column("batch_id")[0].as_py().split(":")
    times = pc.min_max(rows.column(KINDS[kind].event_time)).as_py()
    return Envelope(
        gateway_id=gateway_id,
        epoch=int(epoch),
        seq=int(seq),
        kind=kind,
        row_count=rows.num_rows,
        raw_bytes=1,
        priority=KINDS[kind].priority,
        cut_time=received,
        time_min=times["min"],
        time_max=times["max"],
    ).attributes()


def _conformed(rows: pa.RecordBatch, kind: str) -> pa.RecordBatch:
    """Returns the rows with the columns of this version; those that an earlier one did not know are empty."""
    present = dict(zip(rows.schema.names, rows.columns, strict=True))
    wanted = schema(wire_columns(KINDS[kind].record))
    arrays = [present[name] if name in present else _empty(wanted.field(name).type, rows.num_rows) for name in wanted.names]
    return pa.RecordBatch.from_arrays([present["row"], present["extras"], *arrays], names=["row", "extras", *wanted.names])


def _empty(kind: pa.DataType, length: int) -> pa.Array:
    return pa.array([[]] * length, kind) if pa.types.is_list(kind) else pa.nulls(length, kind)


def with_rows(batch: DecodedBatch, chosen: pa.Array) -> DecodedBatch | None:
    """Returns the batch with the chosen rows; None if there is none."""
    return replace(batch, rows=batch.rows.filter(chosen)) if chosen.true_count else None
