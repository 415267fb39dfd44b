"""Makes the receipts of many batches at once: rows of batches_v1, which say that each came, when, and what its envelope declares.

What an envelope may say stands in schemas/envelope.py; here it is checked for all together. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from zlib import crc32

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.elements import ReceivedMessage, receipt_schema
from schemas.envelope import LIMITS, Envelope, is_of_form, is_readable, micros

_EARLIEST, _LATEST = micros(datetime.min.replace(tzinfo=UTC)), micros(datetime.max.replace(tzinfo=UTC))
_LIMITS = LIMITS | dict.fromkeys(("cut_time", "time_min", "time_max"), (_EARLIEST, _LATEST))
_LOWEST, _HIGHEST = (np.array(ends)[:, np.newaxis] for ends in zip(*_LIMITS.values(), strict=True))
_TIME_MIN, _TIME_MAX = (list(LIMITS).index(name) for name in ("time_min", "time_max"))
_TEXTS = ("gateway_id", "kind", "schema_version")


def receipts(messages: Sequence[ReceivedMessage]) -> pa.RecordBatch:
    """Returns a row for each message. Raises ValueError, an EnvelopeError or another, if any has no sound envelope."""
    attributes = [message.attributes for message in messages]
    texts = {name: pa.array([each.get(name) for each in attributes], pa.string()) for name in _TEXTS}
    integers = pa.array([each.get(name) for name in LIMITS for each in attributes], pa.string())
    if not (_are_names(texts) and _are_integers(integers)):
        for each in attributes:
            Envelope.parse(each)  # says which it is
    values = integers.cast(pa.int64()).to_numpy().reshape(len(LIMITS), len(messages))
    return _rows(texts | dict(zip(LIMITS, map(pa.array, values), strict=True)), messages)


def _are_names(texts: Mapping[str, pa.Array]) -> bool:
    """Tells whether these texts are what they may be."""
    different = {name: array.unique().to_pylist() for name, array in texts.items()}
    of_form = (text is not None and is_of_form(name, text) for name, several in different.items() for text in several)
    return all(of_form) and all(map(is_readable, different["schema_version"]))


def _are_integers(texts: pa.Array) -> bool:
    """Tells whether these texts, all of one name before those of the next, are what they may be, and written as we write them."""
    try:
        integers = texts.cast(pa.int64())
    except pa.ArrowInvalid:
        return False
    if texts.null_count or integers.cast(pa.string()) != texts:
        return False
    values = integers.to_numpy().reshape(len(LIMITS), len(texts) // len(LIMITS))
    first, last = values[_TIME_MIN], values[_TIME_MAX]
    return bool(((values >= _LOWEST) & (values <= _HIGHEST)).all() and (first <= last).all())


def _rows(columns: dict[str, pa.Array], messages: Sequence[ReceivedMessage]) -> pa.RecordBatch:
    names = [columns["gateway_id"], columns["epoch"].cast(pa.string()), columns["seq"].cast(pa.string())]
    columns["batch_id"] = pc.binary_join_element_wise(*names, ":")
    columns["body_bytes"] = pa.array([len(message.body) for message in messages], pa.int64())
    columns["body_digest"] = pa.array([crc32(message.body) for message in messages], pa.int64())
    columns["received_time"] = pa.array([micros(message.received_time) for message in messages], pa.int64())
    fields = receipt_schema()
    return pa.RecordBatch.from_arrays([columns[field.name].view(field.type) for field in fields], schema=fields)
