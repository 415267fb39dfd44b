"""The merge law of a summary: count, sum, squared differences, smallest and largest of two sets of values give those of both.

Pure. The result is the same for any order and grouping, to rounding. The view `summaries` states the same law in SQL.
"""

from __future__ import annotations

from typing import Protocol

Moments = tuple[int, float, float, float, float]
"""count, sum, m2, min, max."""


class HasMoments(Protocol):
    """A summary or a rollup: `m2` is the sum of squared differences from the mean, `count` is at least 1."""

    @property
    def count(self) -> int: ...
    @property
    def sum(self) -> float: ...
    @property
    def m2(self) -> float: ...
    @property
    def min(self) -> float: ...
    @property
    def max(self) -> float: ...


def merge(a: HasMoments, b: HasMoments) -> Moments:
    """Of both sets of values (Chan, Golub and LeVeque, 1979). A plain tuple: the pipeline merges millions."""
    count = a.count + b.count
    apart = b.sum / b.count - a.sum / a.count
    m2 = a.m2 + b.m2 + apart * apart * (a.count * b.count / count)
    return count, a.sum + b.sum, m2, min(a.min, b.min), max(a.max, b.max)
