"""Drops repeated batches, for ever: one interval set of batch numbers per gateway and epoch, without a time limit.

It comes after Decode, so that a corrupt copy of a batch never shadows the good one.
"""

from __future__ import annotations

from collections.abc import Iterator

import apache_beam as beam
from apache_beam.coders import BytesCoder
from apache_beam.pvalue import PCollection
from apache_beam.transforms.userstate import ReadModifyWriteRuntimeState, ReadModifyWriteStateSpec

from pipeline.elements import DecodedBatch
from pipeline.state import StateFormat
from pipeline.transforms.counts import counter
from schemas.intervals import IntervalSet

SEQS = StateFormat("seqs", 1, tuple[int, ...])
"""Holds the numbers of the batches that went on, as [first, last, first, last, ...]."""


class Deduplicate(beam.PTransform):
    """Lets the first of equal batches go on: `fresh = batches | Deduplicate()`."""

    def expand(self, batches: PCollection[DecodedBatch]) -> PCollection[DecodedBatch]:
        keyed = batches | "Key by store" >> beam.Map(_by_store).with_output_types(tuple[str, DecodedBatch])
        return keyed | "Drop known numbers" >> beam.ParDo(_DropKnown()).with_output_types(DecodedBatch)


class _DropKnown(beam.DoFn):
    _SEQS = ReadModifyWriteStateSpec("seqs", BytesCoder())

    def process(
        self,
        keyed: tuple[str, DecodedBatch],
        stored: ReadModifyWriteRuntimeState = beam.DoFn.StateParam(_SEQS),  # type: ignore[assignment]
    ) -> Iterator[DecodedBatch]:
        _, batch = keyed
        seqs = IntervalSet(SEQS.unpack(stored.read()) or ())
        if seqs.add(batch.envelope.seq):
            stored.write(SEQS.pack(seqs.flat()))
            counter("batches").inc()
            yield batch
        else:
            counter("repeated").inc()


def _by_store(batch: DecodedBatch) -> tuple[str, DecodedBatch]:
    return f"{batch.envelope.gateway_id}:{batch.envelope.epoch}", batch
