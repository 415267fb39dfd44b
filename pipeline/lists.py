"""Looks at the elements of a column of lists all at once. Vectorised, without a row becoming an object. Pure."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Mask = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]


def ends_of(lists: pa.ListArray) -> Integers:
    """Returns where each list begins in its flattened elements, and where the last ends."""
    offsets: Integers = lists.offsets.to_numpy()
    return offsets - offsets[0]


def follows_in_list(ends: Integers, length: int) -> Mask:
    """Marks which elements, from the second on, are not the first of their list."""
    follows = np.ones(length + 1, bool)
    follows[ends] = False
    return follows[1:-1]


def sums_of(values: npt.NDArray[Any], ends: Integers) -> Integers:
    """Returns the sum of each list's elements."""
    return np.diff(np.concatenate(([0], np.cumsum(values)))[ends])


def any_of(wrong: Mask, ends: Integers) -> Mask:
    """Marks the lists of which an element is marked."""
    return sums_of(wrong, ends) > 0 if wrong.any() else np.zeros(len(ends) - 1, bool)
