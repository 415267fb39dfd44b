"""Keeps the numbers of many stores, one interval each, in sorted columns: one store is found among thousands without unpacking any. Pure.

A store is known by 16 bytes of a digest of its name: of a million stores two are taken for one with a chance of one in 10^27.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Interval = tuple[int, int]
"""Is the first and the last number, both included."""
_Columns = npt.NDArray[np.uint64]
"""Has four rows: the halves of digests, by which it is sorted, first and last numbers. So a store takes 32 bytes."""


class _Place(NamedTuple):
    """Is the digest of a store's name, and its column; None if it has none yet."""

    digest: tuple[int, int]
    at: int | None


class KnownStores:
    """Knows an interval by name: `stores.put("gw1:7", (1, 5)); stores.get("gw1:7"); stores.pack()`."""

    def __init__(self, packed: bytes = b"") -> None:
        self._columns: _Columns = np.frombuffer(packed, "<u8").reshape(4, -1)
        self._high, self._low = self._columns[:2]
        self._places: dict[str, _Place] = {}
        self._changes: dict[str, Interval | None] = {}

    def get(self, store: str) -> Interval | None:
        if store in self._changes:
            return self._changes[store]
        at = self._place(store).at
        return None if at is None else (self._columns.item(2, at), self._columns.item(3, at))

    def put(self, store: str, interval: Interval | None) -> None:
        """Sets or, with None, forgets the interval of a store."""
        self._changes[store] = interval

    def pack(self) -> bytes:
        columns, new, gone = self._columns.copy(), list[tuple[int, int, int, int]](), list[int]()
        for store, interval in self._changes.items():
            place = self._place(store)
            if interval is None:
                gone += [] if place.at is None else [place.at]
            elif place.at is None:
                new.append((*place.digest, *interval))
            else:
                columns[2, place.at], columns[3, place.at] = interval
        return _with(np.delete(columns, gone, axis=1) if gone else columns, new).tobytes()

    def _place(self, store: str) -> _Place:
        if store not in self._places:
            digest = _digest(store)
            self._places[store] = _Place(digest, self._find(*digest))
        return self._places[store]

    def _find(self, high: int, low: int) -> int | None:
        """Returns the column of a digest."""
        at, end = int(self._high.searchsorted(np.uint64(high))), len(self._high)
        while at < end and self._high.item(at) == high:
            if self._low.item(at) == low:
                return at
            at += 1
        return None


def _with(columns: _Columns, new: list[tuple[int, int, int, int]]) -> _Columns:
    if not new:
        return columns
    added = np.array(sorted(new), np.uint64).T
    return np.insert(columns, np.searchsorted(columns[0], added[0]), added, axis=1)


def _digest(store: str) -> tuple[int, int]:
    digest = blake2b(store.encode(errors="surrogatepass"), digest_size=16).digest()
    return int.from_bytes(digest[:8], "little"), int.from_bytes(digest[8:], "little")
