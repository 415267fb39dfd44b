"""Decodes the messages of a parcel together and drops the batches that have come before; a message that is no batch, or that its gateway
has not signed, becomes a reject.

Repeats are dropped for ever: one interval set of batch numbers per gateway and epoch, without a time limit. They are decoded first, so that
a corrupt copy of a batch never shadows the good one, and only a batch that is known to hold the same bytes is a repeat: another one under
a name that is taken becomes a reject. Signatures are checked before all that, so that nobody takes the name of a batch but its gateway. The
logic is in pipeline/authenticate.py, pipeline/decode.py, pipeline/known_batches.py and pipeline/recent_bodies.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain, compress
from typing import Any, NamedTuple

import apache_beam as beam
import pyarrow as pa
from apache_beam.coders import BytesCoder
from apache_beam.pvalue import PCollection, TaggedOutput
from apache_beam.transforms.userstate import BagRuntimeState, BagStateSpec, ReadModifyWriteRuntimeState, ReadModifyWriteStateSpec

from pipeline import archive, parcel, rejects
from pipeline.authenticate import Authenticator
from pipeline.decode import decode_all
from pipeline.elements import BatchName, Clock, DecodedBatches, Delivery, ReceivedMessage, TableRows
from pipeline.known_batches import KnownBatches
from pipeline.recent_bodies import BAGS, MOST, Likeness, RecentBodies
from pipeline.refused import Refused
from pipeline.repeats import pack_repeats
from pipeline.transforms.counts import counter, measure_ages
from pipeline.transforms.gather import Parcel
from schemas.envelope import micros
from schemas.registry import OfRegistry

_REJECTS, _DELIVERIES, _REPEATS = "rejects", "deliveries", "repeats"
_TYPES = {_REJECTS: TableRows, _DELIVERIES: Delivery, _REPEATS: tuple[int, bytes]}
"""They say how the outputs travel; a key is to be packed alike by every worker."""
_TEXTS = {
    "name_taken": "another batch came under the name {}: two boxes share it, or a store went back in time",
    "repeat_unproven": "a batch came under the name {}, so long ago that it is not known any more whether it was this one",
}
"""What is said of a batch whose name is taken, by the reason why it is set aside."""


class Decoded(NamedTuple):
    """Holds new batches and rejects; where the sink acknowledges, the rejects as deliveries too, and news of repeats, by bucket, packed."""

    batches: PCollection[DecodedBatches]
    undecodable: PCollection[TableRows]
    deliveries: PCollection[Delivery] | None = None
    repeats: PCollection[tuple[int, bytes]] | None = None


class DecodeNew(beam.PTransform):
    """Decodes, and lets the first of equal batches go on: `decoded = parcels | DecodeNew(clock)`. `most` is how many batches of a bucket
    are compared with those that come under their names, at least. Without an authenticator every message is believed.
    """

    def __init__(
        self,
        clock: Clock,
        authenticator: OfRegistry[Authenticator] | None = None,
        *,
        keep_messages: bool = False,
        acknowledge: bool = False,
        most: int = MOST,
    ) -> None:
        super().__init__()
        self._clock, self._authenticator, self._most = clock, authenticator, most
        self._keep_messages = keep_messages
        self._acknowledge = acknowledge

    def expand(self, parcels: PCollection[Parcel]) -> Decoded:
        types = _TYPES if self._acknowledge else {}
        tags = tuple(types) or (_REJECTS,)
        decode = _DecodeNew(self._clock, self._authenticator, self._most, keep_messages=self._keep_messages)
        outputs = parcels | beam.ParDo(decode).with_output_types(DecodedBatches, **types).with_outputs(*tags, main="batches")
        return Decoded(*(outputs[tag] for tag in ("batches", *tags)))


class _DecodeNew(beam.DoFn):
    _KNOWN = ReadModifyWriteStateSpec("seqs", BytesCoder())
    _EVEN, _ODD = (BagStateSpec(name, BytesCoder()) for name in ("recent_even", "recent_odd"))

    def __init__(self, clock: Clock, authenticator: OfRegistry[Authenticator] | None, most: int, *, keep_messages: bool) -> None:
        self._clock, self._authenticator, self._most = clock, authenticator, most
        self._keep_messages = keep_messages

    def process(
        self,
        sent: Parcel,
        stored: ReadModifyWriteRuntimeState = beam.DoFn.StateParam(_KNOWN),  # type: ignore[assignment]
        even: BagRuntimeState = beam.DoFn.StateParam(_EVEN),  # type: ignore[assignment]
        odd: BagRuntimeState = beam.DoFn.StateParam(_ODD),  # type: ignore[assignment]
    ) -> Iterator[Any]:
        known, recent = KnownBatches(stored.read()), RecentBodies(lambda: chain(even.read(), odd.read()))
        repeats = list[tuple[BatchName, str]]()
        for decoded in self._decoded(parcel.unpack(sent[1])):
            if isinstance(decoded, Refused):
                yield from self._rejected(decoded)
                continue
            batches, taken = _new(decoded, known, recent, repeats)
            for refused in taken:
                yield from self._rejected(refused)
            if batches:
                measure_ages(_ages(batches, micros(self._clock())))
                yield batches if self._keep_messages else replace(batches, messages=())
        if repeats:
            yield TaggedOutput(_REPEATS, (sent[0], pack_repeats(repeats)))
        self._put(recent, known, (even, odd))
        stored.write(known.pack())

    def _decoded(self, messages: Iterator[ReceivedMessage]) -> Iterator[DecodedBatches | Refused]:
        """Decodes the messages that are believed."""
        if self._authenticator is None:
            return decode_all(messages)
        passed, refused, doubted = self._authenticator.current().judged(messages)
        for each in doubted:
            counter(f"doubted/{each.reason}").inc()
        return chain(refused, decode_all(passed))

    def _put(self, recent: RecentBodies, known: KnownBatches, bags: Sequence[BagRuntimeState]) -> None:
        """Adds what was noted to the bag that is being filled, and empties the other once it is full."""
        if len(recent):
            bags[known.filled % BAGS].add(recent.pack())
            if known.put_in_bag(len(recent), self._most):
                bags[known.filled % BAGS].clear()

    def _rejected(self, refused: Refused) -> Iterator[TaggedOutput]:
        reject = rejects.of_message(refused, self._clock())
        yield TaggedOutput(_REJECTS, reject)
        if refused.message.ack_id:
            entries = tuple(archive.of_rejects(reject)) if self._keep_messages else ()
            yield TaggedOutput(_DELIVERIES, Delivery((reject,), (refused.message.ack_id,), entries=entries))


def _ages(batches: DecodedBatches, now: int) -> Iterator[float]:
    """Yields the seconds since each batch was cut."""
    return ((now - cut) / 1e6 for cut in batches.receipts.column("cut_time").view(pa.int64()).to_pylist())


def _new(
    decoded: DecodedBatches, known: KnownBatches, recent: RecentBodies, repeats: list[tuple[BatchName, str]]
) -> tuple[DecodedBatches | None, list[Refused]]:
    """Returns the batches that had not come before, None if all had, and those under the name of another. Repeats go to `repeats`, where
    they have ids.
    """
    names, digests = decoded.names(), decoded.receipts.column("body_digest").to_pylist()
    is_new = [known.add(*name) for name in names]
    for name, digest in compress(zip(names, digests, strict=True), is_new):
        recent.note(name, digest)
    counter("batches").inc(sum(is_new))
    if all(is_new):
        return decoded, []
    came = [not new for new in is_new]
    found = recent.likenesses(list(compress(names, came)), list(compress(digests, came)))
    taken = list[Refused]()
    for name, message, likeness in zip(compress(names, came), compress(decoded.messages, came), found, strict=True):
        if reason := _reason(likeness, known):
            taken.append(Refused(message, reason, _TEXTS[reason].format(":".join(map(str, name)))))
        elif message.ack_id:
            repeats.append((name, message.ack_id))
    counter("repeated").inc(len(found) - len(taken))
    return decoded.only(is_new) if any(is_new) else None, taken


def _reason(likeness: Likeness, known: KnownBatches) -> str | None:
    """Returns why a batch whose name is known is set aside; None for a repeat, as are those of a pipeline that kept no digests."""
    if likeness == Likeness.OTHER:
        return "name_taken"
    return "repeat_unproven" if likeness == Likeness.UNKNOWN and known.filled >= BAGS else None
