"""Keeps a set of integers as sorted, disjoint, non-adjacent, inclusive intervals: small for ever where numbers come almost in order.

The flat form [first, last, first, last, ...] is what records and state carry.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence

SEQ_LIMIT = 1 << 62
"""A sensor's sequence numbers are 0 to below this: their differences, and the sum of gaps between them, are within an int64."""


class IntervalSet:
    """Holds integers: `seqs.add(7); 7 in seqs; seqs.flat()`. Union in any order and repetition gives the same set."""

    __slots__ = ("_firsts", "_lasts")

    def __init__(self, flat: Sequence[int] = ()) -> None:
        """Reads the flat form. Raises ValueError if it is not ascending and disjoint."""
        self._firsts, self._lasts = list(flat[::2]), list(flat[1::2])
        if len(flat) % 2 or any(a > b for a, b in zip(self._firsts, self._lasts, strict=True)):
            raise ValueError(f"not [first, last, ...] pairs: {list(flat)[:20]}")
        if any(last + 1 >= first for last, first in zip(self._lasts, self._firsts[1:], strict=False)):
            raise ValueError(f"intervals overlap, touch or descend: {list(flat)[:20]}")

    @classmethod
    def of(cls, numbers: Iterable[int]) -> IntervalSet:
        """Collects numbers in any order, repeated or not."""
        intervals = cls()
        for number in sorted(set(numbers)):
            if intervals._lasts and number == intervals._lasts[-1] + 1:
                intervals._lasts[-1] = number
            else:
                intervals._firsts.append(number)
                intervals._lasts.append(number)
        return intervals

    def add(self, number: int) -> bool:
        """Adds a number; returns False if it was in the set already."""
        if number in self:
            return False
        self.add_interval(number, number)
        return True

    def add_interval(self, first: int, last: int) -> None:
        """Adds first to last, both included."""
        left = bisect_left(self._lasts, first - 1)
        right = left
        while right < len(self._firsts) and self._firsts[right] <= last + 1:
            right += 1
        if left < right:
            first, last = min(first, self._firsts[left]), max(last, self._lasts[right - 1])
        self._firsts[left:right], self._lasts[left:right] = [first], [last]

    def update(self, other: IntervalSet) -> None:
        for first, last in other.intervals():
            self.add_interval(first, last)

    def __contains__(self, number: int) -> bool:
        at = bisect_left(self._lasts, number)
        return at < len(self._lasts) and self._firsts[at] <= number

    def __len__(self) -> int:
        """Counts the numbers."""
        return sum(last - first + 1 for first, last in self.intervals())

    def __iter__(self) -> Iterator[int]:
        for first, last in self.intervals():
            yield from range(first, last + 1)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, IntervalSet) and self.flat() == other.flat()

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"IntervalSet({list(self.flat())})"

    def intervals(self) -> Iterator[tuple[int, int]]:
        return zip(self._firsts, self._lasts, strict=True)

    def flat(self) -> tuple[int, ...]:
        return tuple(number for pair in self.intervals() for number in pair)
