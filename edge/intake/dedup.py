"""Recognises what the broker delivers again, by keys of 8 bytes. Remembers the latest, in order, and forgets the oldest."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from hashlib import blake2b

from edge.reading import Rejected


class RecentKeys:
    """Keeps a bounded set of keys."""

    def __init__(self, keys: Iterable[bytes], max_keys: int) -> None:
        self._order = deque[bytes]()
        self._known: set[bytes] = set()
        self._max_keys = max_keys
        for key in keys:
            self.is_new(key)

    def __contains__(self, key: bytes) -> bool:
        return key in self._known

    def is_new(self, key: bytes) -> bool:
        """Says whether it is not known yet; from now on it is."""
        if key in self._known:
            return False
        self._known.add(key)
        self._order.append(key)
        if len(self._order) > self._max_keys:
            self._known.discard(self._order.popleft())
        return True


def rejected_key(rejected: Rejected) -> bytes:
    """Returns 8 bytes that a repetition of this payload shares: they are made of its topic, reason and bytes."""
    head = "\n".join((rejected.topic or "", rejected.reason)).encode(errors="replace")
    return blake2b(head + b"\n" + rejected.body, digest_size=8).digest()


def unpacked(packed: bytes) -> list[bytes]:
    """Splits keys of 8 bytes each."""
    return [packed[at : at + 8] for at in range(0, len(packed), 8)]
