"""Recognises what the broker delivers again, by 8-byte identities. Remembers the latest, in order, and forgets the oldest."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable


class RecentKeys:
    """A bounded set of identities."""

    def __init__(self, keys: Iterable[bytes], most: int) -> None:
        self._order = deque[bytes]()
        self._known: set[bytes] = set()
        self._most = most
        for key in keys:
            self.is_new(key)

    def __contains__(self, key: bytes) -> bool:
        return key in self._known

    def is_new(self, key: bytes) -> bool:
        """Whether it is not known yet; from now on it is."""
        if key in self._known:
            return False
        self._known.add(key)
        self._order.append(key)
        if len(self._order) > self._most:
            self._known.discard(self._order.popleft())
        return True


def unpacked(packed: bytes) -> list[bytes]:
    """8 bytes each."""
    return [packed[at : at + 8] for at in range(0, len(packed), 8)]
