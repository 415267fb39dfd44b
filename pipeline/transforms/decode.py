"""Decodes the messages of a parcel together and drops the batches that have come before; a message that is no batch becomes a reject.

Repeats are dropped for ever: one interval set of batch numbers per gateway and epoch, without a time limit. They are decoded first, so that
a corrupt copy of a batch never shadows the good one. The logic is in pipeline/decode.py and pipeline/known_batches.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

import apache_beam as beam
import pyarrow as pa
from apache_beam.coders import BytesCoder
from apache_beam.pvalue import PCollection, TaggedOutput
from apache_beam.transforms.userstate import ReadModifyWriteRuntimeState, ReadModifyWriteStateSpec

from pipeline import archive, parcel, rejects
from pipeline.decode import Refused, decode_all
from pipeline.elements import BatchName, Clock, DecodedBatches, Delivery, TableRows
from pipeline.known_batches import KnownBatches
from pipeline.repeats import pack_repeats
from pipeline.transforms.counts import counter, measure_ages
from pipeline.transforms.gather import Parcel
from schemas.envelope import micros

_REJECTS, _DELIVERIES, _REPEATS = "rejects", "deliveries", "repeats"
_TYPES = {_REJECTS: TableRows, _DELIVERIES: Delivery, _REPEATS: tuple[int, bytes]}
"""They say how the outputs travel; a key is to be packed alike by every worker."""


class Decoded(NamedTuple):
    """Holds new batches and rejects; where the sink acknowledges, the rejects as deliveries too, and news of repeats, by bucket, packed."""

    batches: PCollection[DecodedBatches]
    undecodable: PCollection[TableRows]
    deliveries: PCollection[Delivery] | None = None
    repeats: PCollection[tuple[int, bytes]] | None = None


class DecodeNew(beam.PTransform):
    """Decodes, and lets the first of equal batches go on: `decoded = parcels | DecodeNew(clock)`."""

    def __init__(self, clock: Clock, *, keep_messages: bool = False, acknowledge: bool = False) -> None:
        super().__init__()
        self._clock = clock
        self._keep_messages = keep_messages
        self._acknowledge = acknowledge

    def expand(self, parcels: PCollection[Parcel]) -> Decoded:
        types = _TYPES if self._acknowledge else {}
        tags = tuple(types) or (_REJECTS,)
        decode = beam.ParDo(_DecodeNew(self._clock, keep_messages=self._keep_messages)).with_output_types(DecodedBatches, **types)
        outputs = parcels | decode.with_outputs(*tags, main="batches")
        return Decoded(*(outputs[tag] for tag in ("batches", *tags)))


class _DecodeNew(beam.DoFn):
    _KNOWN = ReadModifyWriteStateSpec("seqs", BytesCoder())

    def __init__(self, clock: Clock, *, keep_messages: bool) -> None:
        self._clock = clock
        self._keep_messages = keep_messages

    def process(
        self,
        sent: Parcel,
        stored: ReadModifyWriteRuntimeState = beam.DoFn.StateParam(_KNOWN),  # type: ignore[assignment]
    ) -> Iterator[Any]:
        known = KnownBatches(stored.read())
        repeats = list[tuple[BatchName, str]]()
        for decoded in decode_all(parcel.unpack(sent[1]), keep_messages=self._keep_messages):
            if isinstance(decoded, Refused):
                yield from self._rejected(decoded)
            elif batches := _new(decoded, known, repeats):
                measure_ages(_ages(batches, micros(self._clock())))
                yield batches
        if repeats:
            yield TaggedOutput(_REPEATS, (sent[0], pack_repeats(repeats)))
        stored.write(known.pack())

    def _rejected(self, refused: Refused) -> Iterator[TaggedOutput]:
        reject = _reject(refused, self._clock())
        yield TaggedOutput(_REJECTS, reject)
        if refused.message.ack_id:
            entries = tuple(archive.of_rejects(reject)) if self._keep_messages else ()
            yield TaggedOutput(_DELIVERIES, Delivery((reject,), (refused.message.ack_id,), entries=entries))


def _ages(batches: DecodedBatches, now: int) -> Iterator[float]:
    """Yields the seconds since each batch was cut."""
    return ((now - cut) / 1e6 for cut in batches.receipts.column("cut_time").view(pa.int64()).to_pylist())


def _reject(refused: Refused, now: datetime) -> TableRows:
    return rejects.of_message(refused.message, refused.reason, refused.text, now, refused.stacktrace)


def _new(decoded: DecodedBatches, known: KnownBatches, repeats: list[tuple[BatchName, str]]) -> DecodedBatches | None:
    """Returns the batches that had not come before; None if all had. Those that had go to `repeats`, where they have ids."""
    names = decoded.names()
    is_new = [known.add(*name) for name in names]
    counter("batches").inc(sum(is_new))
    counter("repeated").inc(len(is_new) - sum(is_new))
    repeats += [(name, ack_id) for new, name, ack_id in zip(is_new, names, decoded.ack_ids, strict=False) if not new]
    return decoded.only(is_new) if any(is_new) else None
