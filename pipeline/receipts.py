"""Makes the receipts of many batches at once: rows of batches_v1, which say that each came, when, and what its envelope declares.

What an envelope may say stands in schemas/envelope.py; here it is checked for all together. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.elements import ReceivedMessage, receipt_schema
from schemas.envelope import LIMITS, Envelope, is_readable, micros

_EARLIEST, _LATEST = micros(datetime.min.replace(tzinfo=UTC)), micros(datetime.max.replace(tzinfo=UTC))
_LIMITS = LIMITS | dict.fromkeys(("cut_time", "time_min", "time_max"), (_EARLIEST, _LATEST))
_TEXTS = ("gateway_id", "kind", "schema_version")


def receipts(messages: Sequence[ReceivedMessage], texts: Sequence[Mapping[str, str]]) -> pa.RecordBatch:
    """Returns a row for each message, of which `texts` are its attributes, each of its form. Raises EnvelopeError."""
    columns = {name: pa.array([each[name] for each in texts], pa.string()) for name in (*_TEXTS, *LIMITS)}
    try:
        columns |= {name: columns[name].cast(pa.int64()) for name in LIMITS}
    except pa.ArrowInvalid:
        sound = False
    else:
        sound = _are_sound(columns)
    if not sound:
        for message in messages:
            Envelope.parse(message.attributes)  # says which it is
    return _rows(columns, messages)


def _are_sound(columns: Mapping[str, pa.Array]) -> bool:
    numbers = {name: columns[name].to_numpy() for name in LIMITS}
    within = (low <= numbers[name].min() and numbers[name].max() <= high for name, (low, high) in _LIMITS.items())
    in_order = numbers["time_min"] <= numbers["time_max"]
    return all(within) and bool(in_order.all()) and all(map(is_readable, columns["schema_version"].unique().to_pylist()))


def _rows(columns: dict[str, pa.Array], messages: Sequence[ReceivedMessage]) -> pa.RecordBatch:
    names = [columns["gateway_id"], columns["epoch"].cast(pa.string()), columns["seq"].cast(pa.string())]
    columns["batch_id"] = pc.binary_join_element_wise(*names, ":")
    columns["body_bytes"] = pa.array([len(message.body) for message in messages], pa.int64())
    columns["received_time"] = pa.array([micros(message.received_time) for message in messages], pa.int64())
    fields = receipt_schema()
    return pa.RecordBatch.from_arrays([columns[field.name].cast(field.type) for field in fields], schema=fields)
