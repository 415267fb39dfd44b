"""Counts how many values fell into each logarithmic bucket: a mergeable quantile sketch (DDSketch: Masson, Rim, Lee, VLDB 2019).

Guarantees: merging in any order and grouping gives the same sketch as all values at once; a quantile is within 1 % of a value that
really has this rank, for values of SMALLEST to LARGEST in magnitude, of either sign. What is smaller than SMALLEST counts as 0.
The form is a tuple of `bucket * 2^40 + count`, ascending, each below 2^53 so that no tool rounds it; buckets are in the order of
values. An entry below 0 is `-count` of values that came without a sketch (from a gateway that makes none): then nobody knows the quantile.
The SQL twins are sql/functions/quantile.sql and merged_sketch.sql.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import accumulate, chain
from math import ceil, log
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

ACCURACY = 0.01
SMALLEST = 1e-12
LARGEST = 1e23
ONE_BUCKET = 1 << 40
"""An entry is a bucket times this, plus a count below it. All values of a sketch must be fewer, too."""
BUCKETS = 1 << 13
"""Buckets are numbered 1 to BUCKETS - 1."""

GAMMA = (1 + ACCURACY) / (1 - ACCURACY)
_PER_LOG = 1 / log(GAMMA)
_ZERO = BUCKETS // 2
_POSITIVE = _ZERO + 1400
"""Bucket that ends at 1. Bucket _POSITIVE + i holds GAMMA^(i - 1) to GAMMA^i, and _ZERO is far enough for i of SMALLEST."""


def of(values: Iterable[float]) -> tuple[int, ...]:
    """Returns the sketch of these values. Raises ValueError for one that is not finite or larger than LARGEST."""
    return _packed(Counter(map(bucket, values)))


def merged(sketches: Iterable[Sequence[int]]) -> tuple[int, ...]:
    """Returns the sketch of all their values. Raises ValueError for 2^40 values or more."""
    counts: Counter[int] = Counter()
    for entry in chain.from_iterable(sketches):
        counts[entry >> 40 if entry >= 0 else -1] += entry & (ONE_BUCKET - 1) if entry >= 0 else -entry
    return _packed(counts)


def quantile(sketch: Sequence[int], q: float) -> float | None:
    """Returns the smallest value that at least a share `q` of all values do not exceed, as percentile_disc defines it, to 1 %.

    None for no values, or if some came without a sketch. Raises ValueError unless q is 0 to 1.
    """
    if not 0 <= q <= 1:
        raise ValueError(f"a quantile is asked for a share of 0 to 1, not {q}")
    if not sketch or sketch[0] < 0:
        return None
    running = list(accumulate(entry & (ONE_BUCKET - 1) for entry in sketch))
    return value(next(entry >> 40 for entry, count in zip(sketch, running, strict=True) if count / running[-1] >= q))


def bucket(value: float) -> int:
    """Returns the number of the value's bucket. Raises ValueError if it has none."""
    size = abs(value)
    if size < SMALLEST:
        return _ZERO
    if not size <= LARGEST:
        raise ValueError(f"{value} is not a number of at most {LARGEST:g}")
    place = ceil(log(size) * _PER_LOG) + _POSITIVE
    return place if value > 0 else 2 * _ZERO - place


@cache
def bounds() -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Returns the smallest and largest value of a bucket and its neighbours, for edges are rounded, by the bucket's number."""
    import numpy as np  # not for the gateway

    place = np.arange(BUCKETS, dtype=np.float64)
    size = np.maximum(place, 2 * _ZERO - place) - _POSITIVE
    low, high = GAMMA ** (size - 2), GAMMA ** (size + 1)
    lows, highs = np.where(place > _ZERO, low, -high), np.where(place > _ZERO, high, -low)
    lows[_ZERO], highs[_ZERO] = -SMALLEST * GAMMA, SMALLEST * GAMMA
    return lows, highs


def value(bucket: int) -> float:
    """Returns what stands for all values of a bucket: it is within 1 % of each."""
    if bucket == _ZERO:
        return 0.0
    place = max(bucket, 2 * _ZERO - bucket) - _POSITIVE
    size: float = 0.99 * GAMMA**place
    return size if bucket > _ZERO else -size


def _packed(counts: Counter[int]) -> tuple[int, ...]:
    if counts.total() >= ONE_BUCKET:
        raise ValueError(f"{counts.total()} values, more than a sketch can count")
    return tuple(place * ONE_BUCKET + count if place >= 0 else -count for place, count in sorted(counts.items()))
