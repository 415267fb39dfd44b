"""States the merge law of a summary: count, sum, squared differences, smallest and largest of sets of values give those of all.

`merge` takes two sets, `merge_groups` many at once. Pure. The result is the same for any order and grouping, to rounding. The view
`summaries` states the same law in SQL.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

Moments = tuple[int, float, float, float, float]
"""count, sum, m2, min, max."""


class HasMoments(Protocol):
    """Is a summary or a rollup: `m2` is the sum of squared differences from the mean, `count` is at least 1."""

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


@dataclass(frozen=True, slots=True)
class MomentColumns:
    """Holds the moments of many sets of values, a column each, of the same length."""

    count: npt.NDArray[np.int64]
    sum: npt.NDArray[np.float64]
    m2: npt.NDArray[np.float64]
    min: npt.NDArray[np.float64]
    max: npt.NDArray[np.float64]


def merge(a: HasMoments, b: HasMoments) -> Moments:
    """Returns the moments of both sets of values (Chan, Golub and LeVeque, 1979). A plain tuple: the pipeline merges millions."""
    count = a.count + b.count
    apart = b.sum / b.count - a.sum / a.count
    m2 = a.m2 + b.m2 + apart * apart * (a.count * b.count / count)
    return count, a.sum + b.sum, m2, min(a.min, b.min), max(a.max, b.max)


def merge_groups(columns: MomentColumns, starts: npt.NDArray[np.int64]) -> MomentColumns:
    """Returns the moments of each group of sets; a group begins at each of `starts` (ascending, the first is 0) and is not empty.

    Squares are summed around the group's own mean, so that nothing cancels. For two sets this is the formula of `merge`.
    """
    import numpy as np  # not for the gateway

    count, total = np.add.reduceat(columns.count, starts), np.add.reduceat(columns.sum, starts)
    apart = columns.sum / columns.count - np.repeat(total / count, np.diff(np.append(starts, len(columns.count))))
    m2 = np.add.reduceat(columns.m2 + columns.count * apart * apart, starts)
    return MomentColumns(count, total, m2, np.minimum.reduceat(columns.min, starts), np.maximum.reduceat(columns.max, starts))
