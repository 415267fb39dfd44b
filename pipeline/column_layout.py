"""Says where the columns lie in a batch's content, by the description in it. schemas/columns.py says what the bytes are."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import pyarrow as pa

from schemas.arrow import arrow_type
from schemas.columns import Described, described

LENGTH_BYTES = 4
INTEGERS = frozenset(("int64", "timestamp"))
"""Types that are written as differences."""


class Place(NamedTuple):
    """Says which of the buffers are a column's, by their numbers."""

    column: Described
    nulls: int | None
    lengths: int | None
    values: int


class Layout(NamedTuple):
    """Says what a description means. `sizes` are of the buffers of values: the bytes of each, and which of the buffers of lengths says how
    many there are; None for one a row. `integers` and `floats` are the buffers with one number a row. A row takes `row_bytes` at least.
    """

    places: tuple[Place, ...]
    with_lengths: int
    sizes: tuple[tuple[int, int | None], ...]
    integers: list[int]
    floats: list[int]
    row_bytes: int
    schema: pa.Schema


@lru_cache(maxsize=64)
def layout_of(text: bytes) -> Layout:
    """Reads a description. Raises BadColumns."""
    columns = described(text)
    with_lengths = [column for column in columns if column.has_lengths]
    places, sizes = list[Place](), list[tuple[int, int | None]]()
    for column in columns:
        lengths, first = with_lengths.index(column) if column.has_lengths else None, len(with_lengths) + len(sizes)
        places.append(Place(column, first if column.nullable else None, lengths, first + column.nullable))
        sizes += [(1, None)] * column.nullable + [(column.width, lengths)]
    row_bytes = LENGTH_BYTES * len(with_lengths) + sum(width for width, which in sizes if which is None)
    schema = pa.schema([pa.field(name, arrow_type(kind, repeated=repeated), nullable) for name, kind, repeated, nullable in columns])
    integers, floats = (
        [place.values for place in places if place.column.type in types and place.lengths is None] for types in (INTEGERS, {"float64"})
    )
    return Layout(tuple(places), len(with_lengths), tuple(sizes), integers, floats, row_bytes, schema)
