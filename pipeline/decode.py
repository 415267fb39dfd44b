"""Decodes received messages to batches, strictly: what is not exactly one batch of the contract is given back with the reason, and nothing
is guessed.

Messages of a kind and schema are decoded together, because a call costs nearly the same for ten rows and for a thousand; what comes out is
what each gives alone. Memory is bounded before it is used: the body and its declared size (pipeline.body), and everything that could grow.
"""

from __future__ import annotations

import traceback
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from pipeline import body
from pipeline.body import Content, Undecodable
from pipeline.columns import BadSchema, conformed
from pipeline.elements import EXPORT_FILE, Counts, DecodedBatch, DecodedBatches, ReceivedMessage
from pipeline.receipts import receipts
from pipeline.refused import Refused
from schemas.envelope import Envelope, EnvelopeError, from_micros
from schemas.records import KINDS

BYTES_TOGETHER = 16_000_000
"""So many decompressed bytes are decoded together at most, give or take one message."""

_ROW = pa.field("row", pa.int64(), nullable=False)
_INT64 = np.iinfo(np.int64)


class _Opened(NamedTuple):
    """Is a message, its place among the receipts, and what is in its body."""

    message: ReceivedMessage
    place: int
    content: Content


def decode(message: ReceivedMessage) -> DecodedBatch:
    """Decodes one message. Raises Undecodable."""
    _check_envelope(message)
    receipt = receipts([message])
    content = body.opened(message.body, receipt.column("raw_bytes")[0].as_py())
    [batch] = _decoded([_Opened(message, 0, content)], receipt)
    return batch


def decode_all(messages: Iterable[ReceivedMessage]) -> Iterator[DecodedBatches | Refused]:
    """Decodes messages, those that are alike together; batches have their messages in them."""
    named, of_named, refused = _named(list(messages))
    yield from refused
    for alike in _alike(named, of_named):
        if isinstance(alike, Refused):
            yield alike
        else:
            yield from _sound(alike, of_named)


def _named(messages: list[ReceivedMessage]) -> tuple[list[ReceivedMessage], pa.RecordBatch, list[Refused]]:
    """Returns the messages that have an envelope, with their receipts, and the others."""
    try:
        return messages, receipts(messages), []
    except ValueError:
        named, refused = list[ReceivedMessage](), list[Refused]()
        for message in messages:
            try:
                _check_envelope(message)
            except Exception as error:  # noqa: BLE001 - set aside
                refused.append(_refused(message, error))
            else:
                named.append(message)
        return named, receipts(named), refused


def _alike(messages: Sequence[ReceivedMessage], of_all: pa.RecordBatch) -> Iterator[list[_Opened] | Refused]:
    """Opens messages, and yields those of one kind and schema together."""
    waiting: dict[tuple[str, bytes], list[_Opened]] = defaultdict(list)
    bytes_waiting = 0
    declared = zip(of_all.column("kind").to_pylist(), of_all.column("raw_bytes").to_pylist(), strict=True)
    for place, (message, (kind, raw_bytes)) in enumerate(zip(messages, declared, strict=True)):
        try:
            content = body.opened(message.body, raw_bytes)
        except Exception as error:  # noqa: BLE001 - set aside
            yield _refused(message, error)
            continue
        waiting[kind, content.schema].append(_Opened(message, place, content))
        bytes_waiting += raw_bytes
        if bytes_waiting >= BYTES_TOGETHER:
            yield from waiting.values()
            waiting, bytes_waiting = defaultdict(list), 0
    yield from waiting.values()


def _sound(alike: Sequence[_Opened], of_all: pa.RecordBatch) -> Iterator[DecodedBatches | Refused]:
    """Decodes all at once; one that spoils that is found by halves, and refused alone."""
    try:
        yield _decoded(alike, of_all)
    except Exception as error:  # noqa: BLE001 - set aside
        if len(alike) == 1:
            yield _refused(alike[0].message, error)
        else:
            for half in (alike[: len(alike) // 2], alike[len(alike) // 2 :]):
                yield from _sound(half, of_all)


def _refused(message: ReceivedMessage, error: Exception) -> Refused:
    if isinstance(error, Undecodable):
        return Refused(message, error.reason, str(error))
    return Refused(message, "fault", repr(error), "".join(traceback.format_exception(error)))


def _check_envelope(message: ReceivedMessage) -> None:
    """Raises Undecodable for attributes that are no envelope."""
    if EXPORT_FILE in message.attributes and "gateway_id" not in message.attributes:
        raise Undecodable("broken_entry", f"bytes of {message.attributes[EXPORT_FILE]} that are no sound entry")
    try:
        Envelope.parse(message.attributes)
    except EnvelopeError as error:
        raise Undecodable("bad_envelope", str(error)) from error


def _decoded(alike: Sequence[_Opened], of_all: pa.RecordBatch) -> DecodedBatches:
    """Decodes messages of one kind and schema. Raises Undecodable if any of them is unsound."""
    messages, places, contents = zip(*alike, strict=True)
    of_batches = of_all if len(places) == of_all.num_rows else of_all.take(pa.array(places))
    kind = of_batches.column("kind")[0].as_py()
    counts = of_batches.column("row_count").to_numpy()
    starts = np.cumsum(counts) - counts
    rows = _rows(kind, contents, counts, starts)
    _check_times(rows.column(KINDS[kind].event_time), of_batches, starts)
    return DecodedBatches(of_batches, counts, rows, messages, _ack_ids(messages))


def _ack_ids(messages: Sequence[ReceivedMessage]) -> tuple[str, ...]:
    """Returns the ids by which these are acknowledged; none where that is not the sink's work."""
    ack_ids = tuple(message.ack_id for message in messages)
    return ack_ids if all(ack_ids) else ()


def _rows(kind: str, contents: Sequence[Content], counts: Counts, starts: Counts) -> pa.RecordBatch:
    received = body.read_together(contents, counts.tolist())
    try:
        rows = conformed(received, kind, starts.tolist())
    except BadSchema as error:
        raise Undecodable("bad_schema", str(error)) from error
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        raise Undecodable("bad_arrow", f"not a sound Arrow IPC stream: {error}") from error
    return rows.add_column(0, _ROW, pa.array(np.arange(rows.num_rows) - np.repeat(starts, counts)))


def _check_times(times: pa.Array, of_batches: pa.RecordBatch, starts: Counts) -> None:
    """Checks that each envelope's time range is that of its rows; a range that nobody checked would be worth nothing to a router."""
    first, last = (of_batches.column(name).view(pa.int64()).to_numpy() for name in ("time_min", "time_max"))
    low, high = (np.asarray(times.view(pa.int64()).fill_null(nothing)) for nothing in (_INT64.max, _INT64.min))
    earliest, latest = np.minimum.reduceat(low, starts), np.maximum.reduceat(high, starts)
    wrong = ((earliest != first) | (latest != last)) & (earliest <= latest)  # without any time there is nothing to compare
    if wrong.any():
        span = " to ".join(from_micros(int(time[wrong.argmax()])).isoformat() for time in (first, last))
        raise Undecodable("bad_times", f"the envelope says {span}, the rows hold other event times")
