"""Decodes the messages of a parcel together and drops the batches that have come before; a message that is no batch becomes a reject.

Repeats are dropped for ever: one interval set of batch numbers per gateway and epoch, without a time limit. They are decoded first, so that
a corrupt copy of a batch never shadows the good one. The logic is in pipeline/decode.py and pipeline/known_batches.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import apache_beam as beam
from apache_beam.coders import BytesCoder
from apache_beam.pvalue import PCollection, TaggedOutput
from apache_beam.transforms.userstate import ReadModifyWriteRuntimeState, ReadModifyWriteStateSpec

from pipeline import parcel, rejects
from pipeline.decode import Refused, decode_all
from pipeline.elements import Clock, DecodedBatches, TableRows
from pipeline.known_batches import KnownBatches
from pipeline.transforms.counts import counter
from pipeline.transforms.gather import Parcel

_REJECTS = "rejects"


class DecodeNew(beam.PTransform):
    """Decodes, and lets the first of equal batches go on: `new, undecodable = parcels | DecodeNew(clock)`."""

    def __init__(self, clock: Clock, *, keep_messages: bool = False) -> None:
        super().__init__()
        self._clock = clock
        self._keep_messages = keep_messages

    def expand(self, parcels: PCollection[Parcel]) -> tuple[PCollection[DecodedBatches], PCollection[TableRows]]:
        decode = beam.ParDo(_DecodeNew(self._clock, keep_messages=self._keep_messages)).with_output_types(DecodedBatches)
        outputs = parcels | decode.with_outputs(_REJECTS, main="batches")
        return outputs["batches"], outputs[_REJECTS]


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
        for decoded in decode_all(parcel.unpack(sent[1]), keep_messages=self._keep_messages):
            if isinstance(decoded, Refused):
                yield TaggedOutput(_REJECTS, _reject(decoded, self._clock()))
            elif batches := _new(decoded, known):
                yield batches
        stored.write(known.pack())


def _reject(refused: Refused, now: datetime) -> TableRows:
    return rejects.of_message(refused.message, refused.reason, refused.text, now, refused.stacktrace)


def _new(decoded: DecodedBatches, known: KnownBatches) -> DecodedBatches | None:
    """Returns the batches that had not come before; None if all had."""
    names = (decoded.receipts.column(name).to_pylist() for name in ("gateway_id", "epoch", "seq"))
    is_new = [known.add(*name) for name in zip(*names, strict=True)]
    counter("batches").inc(sum(is_new))
    counter("repeated").inc(len(is_new) - sum(is_new))
    return decoded.only(is_new) if any(is_new) else None
