"""Writes and reads the content of a batch's body: a description of its columns, then the columns, buffer after buffer, without padding.

    text     MAGIC
    u16      length of the description
    u32      number of rows
    text     the columns in order, `name type`, separated by `;`. A type is a letter of LETTERS, then `*` if it is a list, `?` if nullable
    u32[]    for each column of texts, bytes or lists, in order: how long the value of each row is
    then of each column, in order:
    u8[]     if it is nullable: 1 for every row with a value, 0 for null
    values   of every row, or of every element of its lists: int64, and timestamps in microseconds since 1970, as differences from the one
             before modulo 2^64, the first from 0; float64; bool as u8; texts and bytes one behind the other

Numbers are little-endian. A null is written as no difference, the number before, or no bytes.
Lengths, and differences of what grows evenly, repeat themselves, which is what compresses (docs/adr/0029-columns-and-a-dictionary.md).
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, lru_cache
from itertools import accumulate, pairwise
from operator import attrgetter
from typing import Any, NamedTuple

from schemas.arrow import wire_columns
from schemas.envelope import from_micros, micros

LETTERS = {"s": "string", "x": "binary", "i": "int64", "f": "float64", "b": "bool", "t": "timestamp"}
MAGIC = b"TBC1"
_HEAD = struct.Struct("<4sHI")

_LETTER_OF = {name: letter for letter, name in LETTERS.items()}
_MODULUS = 2**64
_HALF = 2**63


class BadColumns(ValueError):
    """The bytes are no such content; the text says why."""


class Described(NamedTuple):
    """Describes a column as the content does. `type` is one of the words of LETTERS."""

    name: str
    type: str
    repeated: bool
    nullable: bool

    @property
    def has_lengths(self) -> bool:
        return self.repeated or self.type in {"string", "binary"}

    @property
    def width(self) -> int:
        """Returns the bytes of one value, or of one element of a text."""
        return 8 if self.type in {"int64", "float64", "timestamp"} else 1


@cache
def description(record: type, left_out: frozenset[str] = frozenset()) -> bytes:
    """Returns the description of what a gateway of this version sends of the record, without some columns that a batch may lack."""
    return ";".join(
        f"{column.name} {_LETTER_OF[column.type]}{'*' * column.repeated}{'?' * column.nullable}"
        for column in wire_columns(record)
        if column.name not in left_out
    ).encode()


def _left_out(record: type, rows: Sequence[Any]) -> frozenset[str]:
    """Returns the columns that are sent where they are used, and here are not: each is null, or empty."""
    return frozenset(name for name in _sent_where_used(record) if all(getattr(row, name) in _NOTHING for row in rows))


@cache
def _sent_where_used(record: type) -> tuple[str, ...]:
    return tuple(column.name for column in wire_columns(record) if column.doc.where_used)


_NOTHING = (None, ())


@lru_cache(maxsize=64)
def described(text: bytes) -> tuple[Described, ...]:
    """Reads a description. Raises BadColumns."""
    try:
        columns = tuple(map(_described, text.decode().split(";")))
    except (ValueError, KeyError, IndexError) as error:
        raise BadColumns(f"not a description of columns: {text[:80]!r}") from error
    if any(column.repeated and column.width == 1 for column in columns):
        raise BadColumns("a list has elements that are not of eight bytes")
    return columns


def _described(text: str) -> Described:
    name, kind = text.rsplit(" ", 1)
    marks = kind[1:]
    if marks not in {"", "*", "?", "*?"}:
        raise ValueError(marks)
    return Described(name, LETTERS[kind[0]], "*" in marks, "?" in marks)


def pack(record: type, rows: Sequence[Any]) -> bytes:
    """Writes rows, which are such records. Raises ValueError, TypeError, AttributeError or OverflowError for a row that is not."""
    text = description(record, _left_out(record, rows))
    lengths, values = list[bytes](), list[bytes]()
    for column in described(text):
        of_rows = list(map(attrgetter(column.name), rows))
        if column.nullable:
            values.append(bytes([value is not None for value in of_rows]))
        if column.has_lengths:
            of_rows = [_sized(value, column) for value in of_rows]
            lengths.append(array("I", map(len, of_rows)).tobytes())
            values.append(_joined(of_rows, column))
        else:
            values.append(_WRITERS[column.type](_filled(of_rows, column)))
    return b"".join((_HEAD.pack(MAGIC, len(text), len(rows)), text, *lengths, *values))


def _sized(value: Any, column: Described) -> Any:
    """Returns what has a length: a list as it is, a text as bytes."""
    if value is None and column.nullable:
        return b""
    return value.encode() if column.type == "string" else value


def _joined(values: Sequence[Any], column: Described) -> bytes:
    if column.repeated:
        return _WRITERS[column.type]([item for value in values for item in value])
    return b"".join(values)


def _filled(values: list[Any], column: Described) -> list[Any]:
    """Puts something in the place of nulls: the value before, so that there is no difference."""
    if not column.nullable or None not in values:
        return values
    before: Any = _FILLERS[column.type]
    return [before := before if value is None else value for value in values]


def _integers(values: Sequence[int]) -> bytes:
    exact = array("q", values)
    return array("Q", [(value - before) % _MODULUS for before, value in pairwise((0, *exact))]).tobytes()


def _flags(values: Sequence[bool]) -> bytes:
    if not {True, False}.issuperset(values):
        raise TypeError(f"neither true nor false among {values[:20]}")
    return bytes(values)


_FILLERS = {"int64": 0, "float64": 0.0, "bool": False, "timestamp": from_micros(0)}
_WRITERS: dict[str, Callable[[Sequence[Any]], bytes]] = {
    "int64": _integers,
    "float64": lambda values: array("d", values).tobytes(),
    "bool": _flags,
    "timestamp": lambda values: _integers([micros(value) for value in values]),
}


def head(content: bytes) -> tuple[bytes, int, int]:
    """Returns the description, the number of rows, and where the columns begin. Raises BadColumns."""
    if not content.startswith(MAGIC) or len(content) < _HEAD.size:
        raise BadColumns(f"it does not begin with {MAGIC!r}")
    _, length, rows = _HEAD.unpack_from(content)
    return content[_HEAD.size : _HEAD.size + length], rows, _HEAD.size + length


def unpack(content: bytes) -> list[dict[str, Any]]:
    """Reads the rows, one by one: for few of them, where there is no Arrow. Raises BadColumns."""
    text, rows, at = head(content)
    columns, read = described(text), dict[str, list[Any]]()
    with_lengths = [column for column in columns if column.has_lengths]
    try:
        numbers = _numbers("I", content, at, rows * len(with_lengths))
        lengths = {column: numbers[rows * k : rows * (k + 1)] for k, column in enumerate(with_lengths)}
        at += 4 * len(numbers)
        for column in columns:
            read[column.name], at = _column(content, at, column, lengths.get(column, (1,) * rows))
    except (struct.error, UnicodeDecodeError, OverflowError) as error:
        raise BadColumns(f"not sound columns: {error}") from error
    if at != len(content):
        raise BadColumns(f"{len(content)} bytes, of which the columns are {at}")
    return [dict(zip(read, row, strict=True)) for row in zip(*read.values(), strict=True)]


def _column(content: bytes, at: int, column: Described, lengths: Sequence[int]) -> tuple[list[Any], int]:
    """Returns the values of a column, and where it ends."""
    rows = len(lengths)
    present = content[at : at + rows] if column.nullable else b"\1" * rows
    start = at + (rows if column.nullable else 0)
    end = start + sum(lengths) * column.width
    if end > len(content):
        raise BadColumns(f"column {column.name} ends after the content")
    values: Sequence[Any] = content[start:end]
    if column.type in _READERS:
        values = _READERS[column.type](content, start, sum(lengths))
    if column.has_lengths:
        values = list(_cut(values, lengths, column))
    return [value if is_there else None for value, is_there in zip(values, present, strict=True)], end


def _cut(values: Sequence[Any], lengths: Sequence[int], column: Described) -> Iterator[Any]:
    for start, end in pairwise(accumulate(lengths, initial=0)):
        yield values[start:end].decode() if column.type == "string" else values[start:end]  # type: ignore[attr-defined]


def _numbers(code: str, content: bytes, at: int, count: int) -> Sequence[Any]:
    return struct.unpack_from(f"<{count}{code}", content, at)


def _sums(content: bytes, at: int, count: int) -> list[int]:
    wrapped: Iterable[int] = accumulate(_numbers("Q", content, at, count), lambda total, step: (total + step) % _MODULUS)
    return [value - _MODULUS if value >= _HALF else value for value in wrapped]


_READERS: dict[str, Callable[[bytes, int, int], list[Any]]] = {
    "int64": _sums,
    "float64": lambda content, at, count: list(_numbers("d", content, at, count)),
    "bool": lambda content, at, count: [bool(flag) for flag in content[at : at + count]],
    "timestamp": lambda content, at, count: list(map(from_micros, _sums(content, at, count))),
}
