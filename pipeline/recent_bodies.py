"""Remembers what was in the batches that came lately, so that another batch under the name of one is not taken for its repeat. Pure.

Of a batch 12 bytes are kept, in one of two bags of its bucket. When a bag has MOST of them the other is emptied and filled: so the last
MOST batches of a bucket are always known, and no more than twice as many. What was in an older one nobody knows any more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from hashlib import blake2b

import numpy as np

from pipeline.elements import BatchName

MOST = 100_000
"""So many batches a bag holds, give or take a parcel: 1.2 MB. There are two bags for each of 32 buckets, 77 MB for a fleet of any size."""
BAGS = 2

_ENTRY = np.dtype([("name", "<u8"), ("digest", "<u4")])


class Likeness(StrEnum):
    """Says what a batch is to the first one that came under its name."""

    REPEAT = "repeat"
    OTHER = "other"
    UNKNOWN = "unknown"


class RecentBodies:
    """Compares batches of a bucket with those that came before, which `read` gives as they were packed; it is called when that is needed.

    Usage: `recent.note(name, digest)` for one that is new, `recent.likenesses(names, digests)` for others, `recent.pack()` for the bag.
    """

    def __init__(self, read: Callable[[], Iterable[bytes]]) -> None:
        self._read = read
        self._noted: dict[int, int] = {}

    def __len__(self) -> int:
        """Returns how many were noted."""
        return len(self._noted)

    def note(self, name: BatchName, digest: int) -> None:
        self._noted[_key(name)] = digest

    def likenesses(self, names: Sequence[BatchName], digests: Sequence[int]) -> list[Likeness]:
        """Compares batches whose names are known. All are looked up together, for the bags are read once."""
        keys = [_key(name) for name in names]
        missing = [key for key in keys if key not in self._noted]
        known = self._noted | (self._found(missing) if missing else {})
        return [_likeness(known.get(key), digest) for key, digest in zip(keys, digests, strict=True)]

    def pack(self) -> bytes:
        """Returns those that were noted, as they are kept."""
        return np.array(list(self._noted.items()), _ENTRY).tobytes()

    def _found(self, keys: Sequence[int]) -> dict[int, int]:
        kept = np.frombuffer(b"".join(self._read()), _ENTRY)
        return dict(kept[np.isin(kept["name"], np.array(keys, "<u8"))].tolist())


def _likeness(first: int | None, digest: int) -> Likeness:
    if first is None:
        return Likeness.UNKNOWN
    return Likeness.REPEAT if first == digest else Likeness.OTHER


def _key(name: BatchName) -> int:
    """Returns 8 bytes for a name: of 200,000 batches two have the same with a chance of one in a billion."""
    gateway_id, epoch, seq = name
    return int.from_bytes(blake2b(f"{gateway_id}:{epoch}:{seq}".encode(errors="surrogatepass"), digest_size=8).digest(), "little")
