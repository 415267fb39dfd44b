"""Reads the columns of many batches' contents at once. schemas/columns.py says what the bytes are.

Every byte is accounted for before a value is read: each content by its own lengths, so none reaches into another's. What is done
to a column is done to that of all contents in one call: a call for each costs more than the bytes in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.arrow_stream import BadStream
from pipeline.column_layout import INTEGERS, LENGTH_BYTES, Layout, Place, layout_of
from schemas.arrow import arrow_type
from schemas.columns import Described, head

_Integers = npt.NDArray[np.int64]
_FEW = 20
"""So many numbers of a buffer, on average, cost less one by one than cut out as a piece."""


class Columns(NamedTuple):
    """Holds a content, the description in it, how many rows it says that there are, and where its buffers begin."""

    schema: bytes
    content: bytes
    rows: int
    begin: int


def take_apart(content: bytes) -> Columns:
    """Looks how the content begins, and whether it is long enough for its rows. Raises BadStream."""
    try:
        text, rows, begin = head(content)
        row_bytes = layout_of(text).row_bytes
    except ValueError as error:
        raise BadStream(f"not sound columns: {error}") from error
    if begin + row_bytes * rows > len(content):
        raise BadStream(f"not sound columns: {rows} rows are more than fit into {len(content)} bytes")
    return Columns(text, content, rows, begin)


@dataclass(frozen=True, slots=True)
class Buffers:
    """Holds contents of one description behind each other.

    Of each buffer and content `begins` says where it begins and `counts` how many values are in it; `offsets` say of each column with
    lengths where, among those of all contents, the values of each row begin.
    """

    joined: bytes
    layout: Layout
    rows: _Integers
    begins: _Integers
    counts: _Integers
    offsets: _Integers

    def of_rows(self) -> dict[int, npt.NDArray[Any]]:
        """Returns the numbers in the buffers that have one a row."""
        integers = _added_up(_numbers(self.joined, self.begins[self.layout.integers], self.rows, "<i8"), self.rows)
        floats = _numbers(self.joined, self.begins[self.layout.floats], self.rows, "<f8")
        return dict(zip((*self.layout.integers, *self.layout.floats), (*integers, *floats), strict=True))

    def of_lists(self, which: int, column: Described) -> npt.NDArray[Any]:
        """Returns the numbers in a buffer of a column of lists."""
        begins, counts = self.begins[which : which + 1], self.counts[which]
        if column.type in INTEGERS:
            return _added_up(_numbers(self.joined, begins, counts, "<i8"), counts)[0]
        return _numbers(self.joined, begins, counts, "<f8")[0]

    def of_bytes(self, which: int) -> bytes:
        """Returns the bytes in a buffer."""
        return _bytes(self.joined, self.begins[which], self.begins[which] + self.counts[which])


def locate(contents: Sequence[Columns]) -> Buffers:
    """Finds the buffers of contents of one description. Raises BadStream if those of any do not end where it ends."""
    layout, rows = layout_of(contents[0].schema), np.array([each.rows for each in contents])
    joined, sizes = b"".join([each.content for each in contents]), np.array([len(each.content) for each in contents])
    ends = np.cumsum(sizes)
    lengths_begin = ends - sizes + contents[0].begin + LENGTH_BYTES * rows * np.arange(layout.with_lengths + 1)[:, np.newaxis]
    offsets = _running(_numbers(joined, lengths_begin[:-1], rows, "<u4"))
    last_rows = np.cumsum(rows)
    sums = offsets[:, last_rows] - offsets[:, last_rows - rows]
    counts = np.array([rows if which is None else sums[which] for _, which in layout.sizes])
    widths = np.array([width for width, _ in layout.sizes])
    values_end = lengths_begin[-1] + np.cumsum(counts * widths[:, np.newaxis], axis=0)
    _check_ends(rows, values_end[-1] - ends + sizes, sizes)
    begins = np.concatenate((lengths_begin, values_end[:-1]))
    return Buffers(joined, layout, rows, begins, np.concatenate((np.tile(rows, (layout.with_lengths, 1)), counts)), offsets)


def _check_ends(rows: _Integers, are: _Integers, sizes: _Integers) -> None:
    wrong = int((are != sizes).argmax())
    if are[wrong] != sizes[wrong]:
        raise BadStream(f"{rows[wrong]} rows of these columns are {are[wrong]} bytes, and there are {sizes[wrong]}")


def read(buffers: Buffers) -> pa.RecordBatch:
    """Returns the rows of all contents, one after the other. Raises BadStream, or pyarrow's errors for text that is none."""
    layout, of_rows = buffers.layout, buffers.of_rows()
    batch = pa.RecordBatch.from_arrays([_read(place, buffers, of_rows) for place in layout.places], schema=layout.schema)
    batch.validate(full=True)
    return batch


def _read(place: Place, buffers: Buffers, of_rows: Mapping[int, npt.NDArray[Any]]) -> pa.Array:
    column, count = place.column, int(buffers.rows.sum())
    kind = arrow_type(column.type, repeated=column.repeated)
    bitmap = None if place.nulls is None else _bitmap(buffers.of_bytes(place.nulls))
    if place.lengths is None:
        values = _bits(buffers.of_bytes(place.values)) if column.type == "bool" else pa.py_buffer(of_rows[place.values])
        return pa.Array.from_buffers(kind, count, [bitmap, values])
    offsets = pa.py_buffer(buffers.offsets[place.lengths].astype(np.int32))
    if not column.repeated:
        return pa.Array.from_buffers(kind, count, [bitmap, offsets, pa.py_buffer(buffers.of_bytes(place.values))])
    numbers = buffers.of_lists(place.values, column)
    elements = pa.Array.from_buffers(kind.value_type, len(numbers), [None, pa.py_buffer(numbers)])
    return pa.Array.from_buffers(kind, count, [bitmap, offsets], children=[elements])


def _numbers(joined: bytes, begins: _Integers, counts: _Integers, kind: str) -> npt.NDArray[Any]:
    """Returns of some buffers, each a line of `begins`, as many numbers as each content has. Few are picked out one by one: they may lie at
    any byte, so each byte counts as the beginning of one.
    """
    width, total = np.dtype(kind).itemsize, counts.sum()
    if total > _FEW * len(counts):
        together = _bytes(joined, begins.ravel(), (begins + width * counts).ravel())
        return np.frombuffer(together, kind).reshape(len(begins), total)
    before = np.cumsum(counts) - counts
    places = np.repeat(begins - width * before, counts, axis=1) + width * np.arange(total)
    every: npt.NDArray[Any] = np.ndarray(max(len(joined) - width + 1, 0), kind, joined, 0, (1,))
    return every[places]


def _bytes(joined: bytes, begins: _Integers, ends: _Integers) -> bytes:
    """Returns what lies between these places, one piece after the other."""
    return b"".join([joined[begin:end] for begin, end in zip(begins.tolist(), ends.tolist(), strict=True)])


def _added_up(steps: _Integers, counts: _Integers) -> _Integers:
    """Adds the differences up, in each content from 0, modulo 2^64."""
    sums = _running(steps)
    added: _Integers = sums[:, 1:] - np.repeat(sums[:, np.cumsum(counts) - counts], counts, axis=1)
    return added


def _running(numbers: npt.NDArray[Any]) -> _Integers:
    """Returns the sums of no number, of the first, of the first two, and so on, of each line."""
    sums = np.zeros((len(numbers), numbers.shape[1] + 1), np.int64)
    np.cumsum(numbers, axis=1, dtype=np.int64, out=sums[:, 1:])
    return sums


def _bitmap(flags: bytes) -> pa.Buffer | None:
    """Returns which values there are; None if all of them."""
    return None if flags.count(1) == len(flags) else _bits(flags)


def _bits(flags: bytes) -> pa.Buffer:
    if flags.count(0) + flags.count(1) < len(flags):
        raise BadStream("a flag is neither 0 nor 1")
    return pa.py_buffer(np.packbits(np.frombuffer(flags, np.uint8), bitorder="little"))
