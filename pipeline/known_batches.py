"""Remembers which batches have come, for ever: the numbers of each gateway's store as intervals, many stores in one state. Pure.

A bucket is a share of all gateways, so that the messages of a bundle come to few states, each touched once. Nearly every store is one
interval, from its first batch to its last: those are found without being unpacked. The others are unpacked when they are asked about.
"""

from __future__ import annotations

import zlib
from typing import NamedTuple

import msgspec

from pipeline.known_stores import Interval, KnownStores
from pipeline.state import Earlier, StateFormat
from schemas.intervals import IntervalSet

BUCKETS = 32
"""It never changes: a gateway in another bucket would be one of which nothing is known. It bounds how many workers decode at once."""


class Known(NamedTuple):
    """Holds the numbers of the batches that went on: of stores with one interval as `KnownStores` packs them, of others by store
    (`gateway_id:epoch`) as [first, last, first, last, ...]. `filled` says how many bags of `pipeline.recent_bodies` were filled, and
    `in_bag` how many batches are in the one after them.
    """

    single: bytes
    several: dict[str, msgspec.Raw]
    filled: int = 0
    in_bag: int = 0


class _Version3(NamedTuple):
    """Is what version 3 holds."""

    single: bytes
    several: dict[str, msgspec.Raw]


_FLAT: msgspec.msgpack.Decoder[tuple[int, ...]] = msgspec.msgpack.Decoder(tuple[int, ...])
_ONE_INTERVAL = 2
"""So many numbers are one interval, flat."""


def _of_version_2(stores: dict[str, msgspec.Raw]) -> Known:
    single, several = KnownStores(), dict[str, msgspec.Raw]()
    for store, packed in stores.items():
        flat = _FLAT.decode(packed)
        if len(flat) == _ONE_INTERVAL:
            single.put(store, (flat[0], flat[1]))
        else:
            several[store] = packed
    return Known(single.pack(), several)


def _of_version_3(known: _Version3) -> Known:
    return Known(*known)


SEQS = StateFormat("seqs", 4, Known, {2: Earlier(dict[str, msgspec.Raw], _of_version_2), 3: Earlier(_Version3, _of_version_3)})


def bucket(gateway_id: str) -> int:
    """Returns the bucket of a gateway, whatever it is called."""
    return zlib.crc32(gateway_id.encode(errors="surrogatepass")) % BUCKETS


class KnownBatches:
    """Knows the batches of one bucket: `known.add("gw1", 7, 1)` tells whether it is new, `known.pack()` gives the state."""

    def __init__(self, packed: bytes | None = None) -> None:
        known = SEQS.unpack(packed) or Known(b"", {})
        self._single, self._several = KnownStores(known.single), known.several
        self.filled, self._in_bag = known.filled, known.in_bag
        self._opened: dict[str, IntervalSet] = {}

    def add(self, gateway_id: str, epoch: int, seq: int) -> bool:
        """Adds a batch; returns False if it was known already."""
        store = f"{gateway_id}:{epoch}"
        if self._has_several(store):
            return self._seqs(store).add(seq)
        interval = self._single.get(store)
        if interval and interval[0] <= seq <= interval[1]:
            return False
        self._put(store, seq, interval)
        return True

    def knows(self, gateway_id: str, epoch: int, seq: int) -> bool:
        store = f"{gateway_id}:{epoch}"
        if self._has_several(store):
            return seq in self._seqs(store)
        interval = self._single.get(store)
        return interval is not None and interval[0] <= seq <= interval[1]

    def put_in_bag(self, count: int, most: int) -> bool:
        """Counts batches that go into the bag that is being filled. Returns whether that is full now, and `filled` has risen."""
        self._in_bag += count
        if self._in_bag < most:
            return False
        self.filled, self._in_bag = self.filled + 1, 0
        return True

    def pack(self) -> bytes:
        several = dict(self._several)
        for store, seqs in self._opened.items():
            flat = tuple(seqs.flat())
            if len(flat) == _ONE_INTERVAL:
                self._single.put(store, (flat[0], flat[1]))
                several.pop(store, None)
            else:
                several[store] = msgspec.Raw(msgspec.msgpack.encode(flat))
        return SEQS.pack(Known(self._single.pack(), several, self.filled, self._in_bag))

    def _put(self, store: str, seq: int, interval: Interval | None) -> None:
        """Adds a number that a store of at most one interval lacks."""
        first, last = interval or (seq, seq)
        if first - 1 <= seq <= last + 1:
            self._single.put(store, (min(first, seq), max(last, seq)))
        else:
            self._single.put(store, None)
            self._opened[store] = IntervalSet.of([seq])
            self._opened[store].add_interval(first, last)

    def _has_several(self, store: str) -> bool:
        return store in self._opened or store in self._several

    def _seqs(self, store: str) -> IntervalSet:
        if store not in self._opened:
            self._opened[store] = IntervalSet(_FLAT.decode(self._several[store]))
        return self._opened[store]
