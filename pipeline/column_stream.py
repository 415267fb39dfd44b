"""Takes the columns of a batch's content apart, and reads those of many contents at once. schemas/columns.py says what the bytes are.

Every byte is accounted for before a value is read: each content by its own lengths, so none reaches into another's when buffers of the same
column are put behind each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.arrow_stream import BadStream
from schemas.arrow import arrow_type
from schemas.columns import Described, described, head

_Numbers = npt.NDArray[np.int64]
_LENGTH_BYTES = 4


class Columns(NamedTuple):
    """Holds a content, the description in it, where its buffers begin and end, and how many rows it has."""

    schema: bytes
    content: bytes
    cuts: tuple[int, ...]
    rows: int


class _Place(NamedTuple):
    """Says which of the buffers are a column's, by their numbers."""

    column: Described
    nulls: int | None
    lengths: int | None
    values: int


class _Layout(NamedTuple):
    """Says what a description means. `sizes` are of the buffers of values: the bytes of each, and which of the buffers of lengths says how
    many there are; None for one a row.
    """

    places: tuple[_Place, ...]
    with_lengths: int
    sizes: tuple[tuple[int, int | None], ...]
    schema: pa.Schema


def take_apart(content: bytes) -> Columns:
    """Takes the content apart. Raises BadStream."""
    try:
        text, rows, values = head(content)
        layout = _layout(text)
        lengths = np.frombuffer(content, "<u4", layout.with_lengths * rows, values).reshape(layout.with_lengths, rows)
    except ValueError as error:
        raise BadStream(f"not sound columns: {error}") from error
    cuts = tuple(_cuts(layout, values, rows, lengths.sum(axis=1, dtype=np.int64).tolist()))
    if cuts[-1] != len(content):
        raise BadStream(f"{rows} rows of these columns are {cuts[-1]} bytes, and there are {len(content)}")
    return Columns(text, content, cuts, rows)


def _cuts(layout: _Layout, at: int, rows: int, sums: Sequence[int]) -> Iterator[int]:
    yield at
    for _ in range(layout.with_lengths):
        at += _LENGTH_BYTES * rows
        yield at
    for width, which in layout.sizes:
        at += width * (rows if which is None else sums[which])
        yield at


def read_together(contents: Sequence[Columns]) -> pa.RecordBatch:
    """Returns the rows of contents of one description, one after the other. Raises BadStream, or pyarrow's errors for text that is none."""
    layout, rows = _layout(contents[0].schema), np.array([each.rows for each in contents])
    batch = pa.RecordBatch.from_arrays([_read(place, contents, rows) for place in layout.places], schema=layout.schema)
    batch.validate(full=True)
    return batch


def _read(place: _Place, contents: Sequence[Columns], rows: _Numbers) -> pa.Array:
    column, count = place.column, int(rows.sum())
    bitmap = None if place.nulls is None else _bitmap(_joined(contents, place.nulls))
    sizes = np.array([_size(each, place.values) for each in contents]) // column.width if column.repeated else rows
    values = _values(column, _joined(contents, place.values), sizes)
    kind = arrow_type(column.type, repeated=column.repeated)
    if place.lengths is None:
        return pa.Array.from_buffers(kind, count, [bitmap, values])
    offsets = _offsets(_joined(contents, place.lengths))
    if not column.repeated:
        return pa.Array.from_buffers(kind, count, [bitmap, offsets, values])
    elements = pa.Array.from_buffers(kind.value_type, int(sizes.sum()), [None, values])
    return pa.Array.from_buffers(kind, count, [bitmap, offsets], children=[elements])


def _joined(contents: Sequence[Columns], at: int) -> bytes:
    """Puts the same buffer of all behind each other."""
    return b"".join([each.content[each.cuts[at] : each.cuts[at + 1]] for each in contents])


def _size(content: Columns, at: int) -> int:
    return content.cuts[at + 1] - content.cuts[at]


def _values(column: Described, buffer: bytes, sizes: _Numbers) -> pa.Buffer:
    """Returns the values as Arrow has them. `sizes` are how many each content has."""
    if column.type in {"int64", "timestamp"}:
        return pa.py_buffer(_sums(np.frombuffer(buffer, "<i8"), sizes))
    return _bits(buffer) if column.type == "bool" else pa.py_buffer(buffer)


def _sums(steps: _Numbers, sizes: _Numbers) -> _Numbers:
    """Adds the differences up, in each content from 0, modulo 2^64."""
    sums: _Numbers = np.cumsum(steps)
    starts = np.cumsum(sizes) - sizes
    sums -= np.repeat(np.concatenate((np.zeros(1, np.int64), sums))[starts], sizes)
    return sums


def _bitmap(flags: bytes) -> pa.Buffer | None:
    """Returns which values there are; None if all of them."""
    return None if flags.count(1) == len(flags) else _bits(flags)


def _bits(flags: bytes) -> pa.Buffer:
    if flags.count(0) + flags.count(1) < len(flags):
        raise BadStream("a flag is neither 0 nor 1")
    return pa.py_buffer(np.packbits(np.frombuffer(flags, np.uint8), bitorder="little"))


def _offsets(lengths: bytes) -> pa.Buffer:
    sums = np.cumsum(np.frombuffer(lengths, "<u4"), dtype=np.int64)
    return pa.py_buffer(np.concatenate((np.zeros(1, np.int32), sums.astype(np.int32))))


@lru_cache(maxsize=64)
def _layout(text: bytes) -> _Layout:
    """Reads a description. Raises BadColumns."""
    columns = described(text)
    with_lengths = [column for column in columns if column.has_lengths]
    places, sizes = list[_Place](), list[tuple[int, int | None]]()
    for column in columns:
        lengths, first = with_lengths.index(column) if column.has_lengths else None, len(with_lengths) + len(sizes)
        places.append(_Place(column, first if column.nullable else None, lengths, first + column.nullable))
        sizes += [(1, None)] * column.nullable + [(column.width, lengths)]
    schema = pa.schema([pa.field(name, arrow_type(kind, repeated=repeated), nullable) for name, kind, repeated, nullable in columns])
    return _Layout(tuple(places), len(with_lengths), tuple(sizes), schema)
