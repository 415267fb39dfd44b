"""Remembers which batches have come, for ever: the numbers of each gateway's store as intervals, many stores in one state. Pure.

A bucket is a share of all gateways, so that the messages of a bundle come to few states, each touched once. Of a state only the stores
that are asked about are unpacked.
"""

from __future__ import annotations

import zlib

import msgspec

from pipeline.state import StateFormat
from schemas.intervals import IntervalSet

BUCKETS = 32
"""It never changes: a gateway in another bucket would be one of which nothing is known. It bounds how many workers decode at once."""

SEQS = StateFormat("seqs", 2, dict[str, msgspec.Raw])
"""Holds by store (`gateway_id:epoch`) the numbers of the batches that went on, as [first, last, first, last, ...]."""

_FLAT: msgspec.msgpack.Decoder[tuple[int, ...]] = msgspec.msgpack.Decoder(tuple[int, ...])


def bucket(gateway_id: str) -> int:
    """Returns the bucket of a gateway, whatever it is called."""
    return zlib.crc32(gateway_id.encode(errors="surrogatepass")) % BUCKETS


class KnownBatches:
    """Knows the batches of one bucket: `known.add("gw1", 7, 1)` tells whether it is new, `known.pack()` gives the state."""

    def __init__(self, packed: bytes | None = None) -> None:
        self._stores = SEQS.unpack(packed) or {}
        self._opened: dict[str, IntervalSet] = {}

    def add(self, gateway_id: str, epoch: int, seq: int) -> bool:
        """Adds a batch; returns False if it was known already."""
        return self._seqs(gateway_id, epoch).add(seq)

    def knows(self, gateway_id: str, epoch: int, seq: int) -> bool:
        return seq in self._seqs(gateway_id, epoch)

    def _seqs(self, gateway_id: str, epoch: int) -> IntervalSet:
        store = f"{gateway_id}:{epoch}"
        if store not in self._opened:
            self._opened[store] = IntervalSet(_FLAT.decode(self._stores[store]) if store in self._stores else ())
        return self._opened[store]

    def pack(self) -> bytes:
        opened = {store: msgspec.Raw(msgspec.msgpack.encode(seqs.flat())) for store, seqs in self._opened.items()}
        return SEQS.pack(self._stores | opened)
